from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gars.application.attempts import LeftBehindError
from gars.application.workers import Workers

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
        raise LeftBehindError

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
        raise LeftBehindError

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
