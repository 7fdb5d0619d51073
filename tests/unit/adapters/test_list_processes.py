"""Processes that make lists: the same lists, and the service is never without one whatever becomes of them."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from gars.adapters.processes import pool
from gars.adapters.processes.pool import ListProcesses
from gars.adapters.processes.process import GoneError
from gars.application.recommend.list_messages import ListMade
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.worker_pool import WorkerPoolEngine
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History, Rating, from_ratings
from gars.runtime.stage_times import measuring
from gars.testing.engine import FakeEngine
from gars_test_support.list_processes import (
    ENDS,
    HANGS,
    RAISES,
    REFUSES,
    ObedientEngine,
    as_made_here,
    obedient,
    unloadable,
)
from gars_test_support.patience import until

VERSION = ObedientEngine().version
FAN = from_ratings([Rating(1, 9), Rating(5, 3)])


@pytest.fixture
def one() -> Iterator[ListProcesses]:
    """One process."""
    processes = ListProcesses(obedient, VERSION, count=1, patience_s=30)
    yield processes
    processes.close()


def ask(processes: ListProcesses, *tags: str, history: History = FAN) -> object:
    return processes.make(history, ListRequest(k=5, filters=Filters(tags=tags)))


def pids() -> set[int]:
    return {child.pid or 0 for child in multiprocessing.active_children()}


def test_the_same_list_as_here(one: ListProcesses) -> None:
    local = FakeEngine()
    engine = WorkerPoolEngine(local, one)
    for history in (from_ratings([]), FAN):
        for filters in (Filters(), SERVICE_DEFAULTS, Filters(niche=0.5, diversity=0.5, exclude_ids=(1,))):
            with measuring() as times:
                items = engine.recommend_history(history, ListRequest(k=3, offset=2, filters=filters))
            assert as_made_here(items) == local.recommend_history(history, ListRequest(k=3, offset=2, filters=filters))
            assert times.milliseconds == {}, "the double measures nothing"
    assert one.problem is None
    assert (one.alive, one.restarts) == (1, 0)


def test_errors_of_another_process_are_raised_here(one: ListProcesses) -> None:
    before = pids()
    with pytest.raises(InvalidInputError, match="no such genre: soup") as caught:
        ask(one, REFUSES)
    assert caught.value.hint == "GET /api/v1/genres has them"
    with pytest.raises(StageError, match="RuntimeError: the model is on fire"):
        ask(one, RAISES)
    assert ask(one) is not None
    assert pids() == before
    assert one.problem is None


def test_what_cannot_be_asked_is_not_waited_for(one: ListProcesses) -> None:
    for _ in range(2 * pool.IN_HAND):
        with pytest.raises(OverflowError):
            one.make(FAN, ListRequest(k=5, filters=Filters(exclude_ids=(2**70,))))
    assert ask(one) is not None


def test_one_that_ends_is_replaced(one: ListProcesses, caplog: pytest.LogCaptureFixture) -> None:
    before = pids()
    assert ask(one, ENDS) is None, "the service makes the list itself"
    assert "a process that makes lists is gone" in caplog.text
    assert "exit code 3" in caplog.text
    until(lambda: one.alive == 1, "another process")
    assert one.problem is None
    assert one.restarts == 1
    assert ask(one) is not None
    assert not pids() & before


def test_one_that_was_killed_is_noticed_when_it_is_asked(one: ListProcesses) -> None:
    local = FakeEngine()
    (pid,) = pids()
    os.kill(pid, signal.SIGKILL)
    items = WorkerPoolEngine(local, one).recommend_history(FAN, ListRequest(k=5, filters=Filters()))
    assert items == local.recommend_history(FAN, ListRequest(k=5, filters=Filters())), "made here"
    until(lambda: one.alive == 1, "another process")


def test_one_that_hangs_is_replaced() -> None:
    processes = ListProcesses(obedient, VERSION, count=1, patience_s=0.3)
    (pid,) = pids()
    with pytest.raises(StageError, match=r"nothing within 0\.3 s \(exit code -9\)"):
        ask(processes, HANGS)
    until(lambda: processes.alive == 1, "another process")
    assert pid not in pids()
    assert ask(processes) is not None
    processes.close()


def test_those_who_wait_behind_one_that_hangs_are_let_go() -> None:
    processes = ListProcesses(obedient, VERSION, count=1, patience_s=0.5)
    outcomes: list[object] = []

    def ask_for(*tags: str) -> None:
        try:
            outcomes.append(ask(processes, *tags))
        except StageError as late:
            outcomes.append(late)

    threads = [threading.Thread(target=ask_for, args=tags) for tags in ((HANGS,), (), (), (), ())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert len(outcomes) == len(threads)
    until(lambda: processes.alive == 1, "another process")
    assert processes.restarts == 1
    assert ask(processes) is not None
    processes.close()


@pytest.mark.parametrize(
    ("target", "version", "problem"),
    [
        (unloadable, VERSION, r"gone: it ended \(exit code 4\)"),
        (obedient, "another", "it opened fake-1, and another serves"),
    ],
)
def test_one_that_cannot_start(target: object, version: str, problem: str) -> None:
    processes = ListProcesses(target, version, count=1, patience_s=30)  # type: ignore[arg-type]
    assert processes.alive == 0
    assert processes.problem is not None
    assert ask(processes) is None, "no request waits for a process that may never start"
    until(lambda: processes.restarts >= 1, "another start")
    processes.close()
    restarts = processes.restarts
    assert ask(processes) is None
    assert re.search(problem, str(processes.problem))
    assert processes.restarts == restarts


def test_one_that_never_starts_is_tried_less_and_less_while_another_works(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyTheFirst:
        started = 0
        exit_code = 1

        def __init__(self, *_: object) -> None:
            self.number, self.in_hand = self.started, 0
            OnlyTheFirst.started += 1

        def opened(self, *, within_s: float) -> str:
            if self.number:
                raise GoneError(f"no room, also not within {within_s} s")
            return VERSION

        def ask(self, *_: object, **__: object) -> ListMade:
            return ListMade([], {})

        def end(self) -> None: ...

        leave = wait_for_end = end

    monkeypatch.setattr(pool, "ListProcess", OnlyTheFirst)
    processes = ListProcesses(obedient, VERSION, count=2, patience_s=30)
    until(lambda: processes.restarts == 1, "another start, at once")
    for _ in range(100):
        assert ask(processes) == ListMade([], {})
        time.sleep(0.005)
    assert (processes.alive, processes.restarts) == (1, 1)
    assert "no room" in str(processes.problem)
    processes.close()


def test_a_process_has_few_questions_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def __init__(self, *_: object) -> None:
            self.in_hand, self.most = 0, 0
            started.append(self)

        def opened(self, **_: object) -> str:
            return VERSION

        def ask(self, *_: object, **__: object) -> ListMade:
            self.most = max(self.most, self.in_hand)
            time.sleep(0.02)
            return ListMade([], {})

        def end(self) -> None: ...

        leave = wait_for_end = end

    started: list[Slow] = []
    monkeypatch.setattr(pool, "ListProcess", Slow)
    processes = ListProcesses(obedient, VERSION, count=2, patience_s=30)
    threads = [threading.Thread(target=ask, args=[processes]) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.most for one in started] == [pool.IN_HAND, pool.IN_HAND]
    assert [one.in_hand for one in started] == [0, 0]
    processes.close()


def test_each_user_gets_their_own_list() -> None:
    local, processes = FakeEngine(), ListProcesses(obedient, VERSION, count=2, patience_s=30)
    fans = [from_ratings([Rating(anime.anime_id, 9)]) for anime in local.anime]
    engine = WorkerPoolEngine(local, processes)
    wrong: list[int] = []

    def ask_for(first: int) -> None:
        for number in range(first, 200):
            fan = fans[number % len(fans)]
            items = engine.recommend_history(fan, ListRequest(k=5, filters=Filters()))
            if as_made_here(items) != local.recommend_history(fan, ListRequest(k=5, filters=Filters())):
                wrong.append(number)

    threads = [threading.Thread(target=ask_for, args=[first]) for first in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert (processes.alive, processes.problem) == (2, None)
    processes.close()


def test_an_end_waits_for_what_is_being_made() -> None:
    before = pids()
    processes = ListProcesses(obedient, VERSION, count=2, patience_s=30)
    asked, made = threading.Event(), []

    def keep_asking() -> None:
        while (answer := ask(processes)) is not None:
            made.append(answer)
            asked.set()

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert asked.wait(30)
    processes.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert (processes.alive, processes.problem) == (0, None)
    assert pids() == before
    processes.close()
