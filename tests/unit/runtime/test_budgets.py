from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from gars.runtime.budgets import AbandonedError, Budget, Deadline, OutOfTimeError

LIMIT_S = 2.0
IDLE_S = 0.5


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deadline(clock: Clock) -> Deadline:
    return Deadline(IDLE_S, now=clock)


def test_time_limit_starts_with_the_stage(deadline: Deadline, clock: Clock) -> None:
    clock.time += 50
    assert deadline.wait_s() == IDLE_S
    with deadline.stage(Budget("x", LIMIT_S)):
        clock.time += 1.5
        assert deadline.wait_s() == 0.5
        assert not deadline.abandon_if_late()
    assert deadline.wait_s() == IDLE_S


def test_each_stage_has_its_own_limit(deadline: Deadline, clock: Clock) -> None:
    for limit_s in (LIMIT_S, 3 * LIMIT_S):
        with deadline.stage(Budget("x", limit_s)):
            clock.time += 1
            assert deadline.wait_s() == limit_s - 1


def test_finished_stage_cannot_be_abandoned(deadline: Deadline, clock: Clock) -> None:
    budget = Budget("x", LIMIT_S)
    with deadline.stage(budget):
        clock.time += LIMIT_S
    assert not deadline.abandon_if_late()
    assert deadline.spent == set()
    assert budget.outcomes == {}


def test_stage_without_limit_is_never_late(deadline: Deadline, clock: Clock) -> None:
    with deadline.stage(Budget("x", 0)):
        clock.time += 1_000
        assert not deadline.abandon_if_late()


@pytest.mark.parametrize("error", [None, RuntimeError("on fire")])
def test_late_result_or_error_is_dropped(deadline: Deadline, clock: Clock, error: Exception | None) -> None:
    budget = Budget("x", LIMIT_S, threads=1)

    def work() -> None:
        with deadline.stage(budget):
            clock.time += LIMIT_S
            assert deadline.abandon_if_late()
            assert not deadline.abandon_if_late(), "abandoned once"
            with pytest.raises(OutOfTimeError, match="1 earlier calls are still running"), Deadline(1).stage(budget):
                pytest.fail("refused stages do not run")
            if error is not None:
                raise error

    with pytest.raises(AbandonedError):
        work()
    assert budget.outcomes == {"late": 2}
    with Deadline(1).stage(budget):
        pass  # its thread came back


def test_abandoned_stage_is_not_repeated_and_the_next_one_runs(deadline: Deadline, clock: Clock) -> None:
    late, below = Budget("x", LIMIT_S), Budget("y", LIMIT_S)
    with pytest.raises(AbandonedError):
        _be_late(deadline, late, clock)
    with pytest.raises(OutOfTimeError, match="no answer within 2000 ms"), deadline.stage(late):
        pytest.fail("it was abandoned")
    assert late.outcomes == {"late": 1}, "counted once"
    with deadline.stage(below):
        assert deadline.wait_s() == LIMIT_S


def test_late_thread_does_not_end_the_stage_of_its_replacement(deadline: Deadline, clock: Clock) -> None:
    late, below = Budget("x", LIMIT_S), Budget("y", LIMIT_S)
    with ExitStack() as replacement:
        with pytest.raises(AbandonedError):
            _be_late(deadline, late, clock, then=lambda: replacement.enter_context(deadline.stage(below)))
        clock.time += LIMIT_S
        assert deadline.abandon_if_late()
        with pytest.raises(AbandonedError):
            replacement.close()
    assert deadline.spent == {late, below}


def _be_late(deadline: Deadline, budget: Budget, clock: Clock, *, then: Callable[[], object] = lambda: None) -> None:
    """Run a stage past its limit; ``then`` runs after it was abandoned, before it ends."""
    with deadline.stage(budget):
        clock.time += budget.limit_s
        assert deadline.abandon_if_late()
        then()


def test_errors_in_time_pass_through(deadline: Deadline) -> None:
    with pytest.raises(TimeoutError, match="the disk"), deadline.stage(Budget("x", LIMIT_S)):
        raise TimeoutError("the disk")


def test_either_the_thread_or_the_watcher_gets_the_stage() -> None:
    for _ in range(200):
        budget, deadline = Budget("x", 1e-9), Deadline(1)
        outcome: list[str] = []
        start = threading.Barrier(2)

        def work(deadline: Deadline = deadline, budget: Budget = budget, outcome: list[str] = outcome) -> None:
            try:
                with deadline.stage(budget):
                    start.wait()  # noqa: B023
            except AbandonedError:
                outcome.append("abandoned")
            else:
                outcome.append("finished")

        thread = threading.Thread(target=work)
        thread.start()
        start.wait()
        was_abandoned = deadline.abandon_if_late()
        thread.join()
        assert outcome == ["abandoned" if was_abandoned else "finished"]
        assert budget.outcomes.total() == was_abandoned
