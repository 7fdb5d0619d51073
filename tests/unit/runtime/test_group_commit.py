"""Groups that gather before they are worked on."""

from __future__ import annotations

import threading

import pytest

from gars.runtime.group_commit import GroupCommitThread

AGES = 3600.0


def gathering(groups: list[list[int]], *, max_group: int = 10, gather_s: float = AGES) -> GroupCommitThread[int]:
    return GroupCommitThread("test", groups.append, max_group=max_group, max_waiting=100, gather_s=gather_s)


def test_later_batches_join_the_group_and_a_waiting_caller_ends_it() -> None:
    groups: list[list[int]] = []
    thread = gathering(groups)
    for number in range(3):
        thread.submit(number)
    assert thread.call(lambda: "done").result(timeout=30) == "done"
    assert groups == [[0, 1, 2]]
    thread.submit(3)
    thread.call(lambda: None).result(timeout=30)
    assert groups == [[0, 1, 2], [3]]
    thread.close()


def test_the_end_does_not_wait_either() -> None:
    groups: list[list[int]] = []
    thread = gathering(groups)
    thread.submit(1)
    thread.close()
    assert groups == [[1]]


def test_a_full_group_gathers_no_longer() -> None:
    groups: list[list[int]] = []
    busy, go_on, second = threading.Event(), threading.Event(), threading.Event()

    def work(group: list[int]) -> None:
        groups.append(group)
        busy.set()
        if len(groups) == 2:
            second.set()
        go_on.wait(30)

    thread: GroupCommitThread[int] = GroupCommitThread("test", work, max_group=2, max_waiting=100, gather_s=AGES)
    thread.submit(0)
    first = thread.call(lambda: None)  # the first group begins
    assert busy.wait(30)
    for number in range(1, 4):
        thread.submit(number)
    go_on.set()
    first.result(timeout=30)
    assert second.wait(30)
    assert groups[1] == [1, 2]
    thread.close()
    assert groups == [[0], [1, 2], [3]]


@pytest.mark.parametrize("gather_s", [0.0, 0.001])
def test_group_ends_without_a_waiting_caller(gather_s: float) -> None:
    done = threading.Event()
    thread: GroupCommitThread[int] = GroupCommitThread(
        "test", lambda _group: done.set(), max_group=10, max_waiting=100, gather_s=gather_s
    )
    thread.submit(1)
    assert done.wait(30)
    thread.close()
