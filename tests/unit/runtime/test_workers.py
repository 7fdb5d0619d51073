from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gars.runtime.budgets import AbandonedError
from gars.runtime.workers import Workers

PATIENCE_S = 30


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_answers_and_errors() -> None:
    workers = Workers(2, "x")
    assert workers.submit(divmod, 7, 2).result(PATIENCE_S) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        workers.submit(divmod, 7, 0).result(PATIENCE_S)
    assert workers.submit(lambda: threading.current_thread().name).result(PATIENCE_S).startswith("x_")
    workers.shutdown()


def test_a_call_that_was_cancelled_is_not_made(held: threading.Event) -> None:
    workers = Workers(1, "x")
    workers.submit(held.wait, PATIENCE_S)
    made: list[int] = []
    cancelled = workers.submit(made.append, 1)
    assert cancelled.cancel()
    held.set()
    workers.submit(made.append, 2).result(PATIENCE_S)
    assert made == [2]
    workers.shutdown()


def test_a_thread_that_is_left_behind_is_replaced_and_ends(held: threading.Event) -> None:
    workers = Workers(1, "x")
    hung: list[threading.Thread] = []
    hangs = threading.Event()

    def late() -> None:
        hung.append(threading.current_thread())
        hangs.set()
        held.wait(PATIENCE_S)
        raise AbandonedError

    workers.post(late)
    assert hangs.wait(PATIENCE_S)
    order: list[str] = []
    waiting = workers.submit(order.append, "waited")
    workers.stand_in(lambda: order.append("at once"))
    waiting.result(PATIENCE_S)
    assert order == ["at once", "waited"]
    held.set()
    hung[0].join(PATIENCE_S)
    assert not hung[0].is_alive()
    assert workers.submit(lambda: 7).result(PATIENCE_S) == 7
    workers.shutdown()


def test_shutdown_finishes_what_waits_but_not_who_hangs(held: threading.Event) -> None:
    workers = Workers(2, "x")
    hangs = threading.Event()

    def late() -> None:
        hangs.set()
        held.wait(PATIENCE_S)
        raise AbandonedError

    workers.post(late)
    assert hangs.wait(PATIENCE_S)
    workers.stand_in(None)
    made: list[int] = []
    for one in range(50):
        workers.submit(made.append, one)
    workers.shutdown()
    assert sorted(made) == list(range(50))
    workers.shutdown()
    with pytest.raises(RuntimeError, match="x has been shut down"):
        workers.submit(made.append, 50)
    with pytest.raises(NotImplementedError):
        workers.shutdown(cancel_futures=True)


def test_the_wait_is_expected_from_the_length_of_the_queue(held: threading.Event) -> None:
    """Before the first job of the queue has waited at all."""
    seconds = 0.0
    workers = Workers(1, "x", now=lambda: seconds)

    def takes(spent: float) -> None:
        nonlocal seconds
        seconds += spent

    assert workers.expected_wait_s() == 0
    for spent in [60.0, *[0.02] * 20, 60.0, *[0.02] * 10]:  # two that do not count
        workers.submit(takes, spent).result(PATIENCE_S)
    begun = threading.Event()

    def runs() -> None:
        begun.set()
        held.wait(PATIENCE_S)

    running = workers.submit(runs)
    assert begun.wait(PATIENCE_S)
    assert workers.expected_wait_s() == 0, "nothing waits"
    waiting = [workers.submit(takes, 0.0) for _ in range(100)]
    assert workers.waited_s() == 0
    assert workers.expected_wait_s() == pytest.approx(100 * 0.02, rel=0.01)
    seconds += 5
    assert workers.expected_wait_s() == 5, "the first has waited longer than that"
    held.set()
    for one in (running, *waiting):
        one.result(PATIENCE_S)
    assert workers.expected_wait_s() == 0
    workers.shutdown()
