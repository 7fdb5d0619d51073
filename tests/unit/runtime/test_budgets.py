from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gars.runtime.budgets import Budget, OutOfTimeError
from gars.runtime.stage_times import measuring, stage

SHORT_S = 0.02


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_in_time() -> None:
    for limit_s in (0, 30):
        budget = Budget("x", limit_s)
        assert budget.run(lambda: 7) == 7
        budget.close()


def test_without_a_limit_the_caller_does_the_work() -> None:
    assert Budget("x", 0).run(threading.current_thread) is threading.current_thread()


def test_errors_pass_through_also_one_that_looks_like_a_spent_budget() -> None:
    def slow_disk() -> None:
        raise TimeoutError("the disk")

    for limit_s in (0, 30):
        budget = Budget("x", limit_s)
        with pytest.raises(TimeoutError, match="the disk"):
            budget.run(slow_disk)
        budget.close()


def test_late(held: threading.Event) -> None:
    budget = Budget("x", SHORT_S, threads=1)
    with pytest.raises(OutOfTimeError, match="no answer within 20 ms"):
        budget.run(held.wait)
    budget.close()


def test_leftovers_are_bounded_and_forgiven(held: threading.Event) -> None:
    budget = Budget("x", SHORT_S, threads=2)
    for _ in range(2):
        with pytest.raises(OutOfTimeError, match="no answer"):
            budget.run(held.wait)
    with pytest.raises(OutOfTimeError, match="2 earlier calls are still running"):
        budget.run(lambda: 7)
    held.set()
    patient = Budget("y", 30)
    assert patient.run(lambda: _once_it_runs(budget)) == 7
    budget.close()
    patient.close()


def _once_it_runs(budget: Budget) -> int:
    """Try again until the leftovers are gone; the budget around it is the deadline."""
    while True:
        try:
            return budget.run(lambda: 7)
        except OutOfTimeError:
            threading.Event().wait(0.001)


def test_stages_are_measured_for_the_caller() -> None:
    def work() -> None:
        with stage("ranking"):
            pass

    budget = Budget("x", 30)
    with measuring() as times:
        budget.run(work)
    budget.close()
    assert list(times.milliseconds) == ["ranking"]
