from __future__ import annotations

import threading

import pytest

from gars.runtime.budgets import Budget, OutOfTimeError
from gars.runtime.deadline_task import AbandonedError, Claim, DeadlineTask

LIMIT_S = 2.0


class Watched:
    """A task by a clock that the test moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.calls: list[str] = []
        self.task = DeadlineTask(
            LIMIT_S,
            on_abandon=lambda: self.calls.append("abandoned"),
            on_return=lambda: self.calls.append("returned"),
            now=lambda: self.time,
        )


def test_the_time_runs_from_its_beginning() -> None:
    watched = Watched()
    watched.time += 50
    assert watched.task.wait_s() == LIMIT_S
    watched.task.begin()
    watched.time += 1.5
    assert watched.task.wait_s() == 0.5
    watched.time += 0.5
    assert watched.task.wait_s() == 0


def test_finished_in_time_it_cannot_be_left() -> None:
    watched = Watched()
    watched.task.begin()
    watched.task.finish()
    assert not watched.task.abandon()
    assert not watched.task.is_abandoned
    assert watched.calls == []


def test_left_behind_it_cannot_finish() -> None:
    watched = Watched()
    watched.task.begin()
    assert watched.task.abandon()
    assert watched.calls == ["abandoned"]
    with pytest.raises(AbandonedError):
        watched.task.finish()
    assert watched.task.is_abandoned
    assert watched.calls == ["abandoned", "returned"]


def test_one_of_many_threads_gets_a_claim() -> None:
    for _ in range(50):
        claim, start = Claim(), threading.Barrier(8)
        got: list[bool] = []
        threads = [threading.Thread(target=_take, args=[claim, start, got]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == [*[False] * 7, True]


def _take(claim: Claim, start: threading.Barrier, got: list[bool]) -> None:
    start.wait()
    got.append(claim.take())


def test_a_budget_does_watched_work_in_the_callers_thread() -> None:
    budget = Budget("x", LIMIT_S)
    task = budget.task()
    assert task is not None
    assert budget.run(threading.current_thread, task=task) is threading.current_thread()
    assert not task.abandon()
    assert budget.outcomes == {}


def test_without_a_limit_there_is_nothing_to_watch() -> None:
    assert Budget("x", 0).task() is None


@pytest.mark.parametrize("error", [None, RuntimeError("on fire")])
def test_work_that_is_late_is_nobodys_whether_it_ends_well_or_not(error: Exception | None) -> None:
    budget = Budget("x", LIMIT_S, threads=1)
    task = budget.task()
    assert task is not None

    def work() -> int:
        assert task.abandon()
        with pytest.raises(OutOfTimeError, match="1 earlier calls are still running"):
            budget.run(lambda: 7, task=budget.task())
        if error is not None:
            raise error
        return 7

    with pytest.raises(AbandonedError):
        budget.run(work, task=task)
    assert budget.outcomes == {"late": 2}
    assert budget.run(lambda: 7, task=budget.task()) == 7, "its thread came back"


def test_the_second_time_its_time_is_spent() -> None:
    budget = Budget("x", LIMIT_S)
    task = budget.task()
    assert task is not None
    task.abandon()
    with pytest.raises(OutOfTimeError, match="no answer within 2000 ms"):
        budget.run(lambda: 7, task=task)
    assert budget.outcomes == {"late": 1}, "counted once"


def test_errors_in_time_pass_through() -> None:
    budget = Budget("x", LIMIT_S)

    def slow_disk() -> None:
        raise TimeoutError("the disk")

    with pytest.raises(TimeoutError, match="the disk"):
        budget.run(slow_disk, task=budget.task())
