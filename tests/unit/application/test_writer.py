from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.application.events import writer as module
from gars.application.events.forget_user import ForgetUser, Forgotten
from gars.application.events.ingest import Batch, Ingest, Receipt
from gars.application.events.writer import Writer
from gars.domain.errors import GarsError, InvalidInputError, StorageError, UnknownAnimeError
from gars.testing.clock import FakeClock
from gars.testing.events import clicks, event
from gars.testing.memory import MemoryEventLog, MemoryStateStore, MemoryTombstones


class GatedIngest(Ingest):
    """Waits at the door; remembers how it was called."""

    def __init__(self) -> None:
        self.log, self.states = MemoryEventLog(), MemoryStateStore()
        super().__init__(
            log=self.log, states=self.states, feed=MemoryChangeFeed(), clock=FakeClock(), known_anime={1, 5}
        )
        self.gate = threading.Semaphore(0)
        self.inside = threading.Semaphore(0)
        self.groups: list[int] = []

    def group(self, batches: Sequence[Batch]) -> list[Receipt | GarsError]:
        self.inside.release()
        self.gate.acquire()
        self.groups.append(len(batches))
        return super().group(batches)


def test_what_waits_is_committed_together() -> None:
    ingest = GatedIngest()
    writer = Writer(ingest)
    first = writer.submit([event("a")])
    ingest.inside.acquire()
    waiting = [writer.submit([event(f"u{number}", event_id=str(number))]) for number in range(50)]
    ingest.gate.release(2)
    assert first.result(10).versions == {"a": 1}
    assert [future.result(10).accepted for future in waiting] == [(str(number),) for number in range(50)]
    assert ingest.groups == [1, 50]
    writer.close()


def test_a_bad_batch_does_not_spoil_the_group() -> None:
    ingest = GatedIngest()
    writer = Writer(ingest)
    writer.submit([])
    ingest.inside.acquire()
    good, unknown, bad = (
        writer.submit([event("a", 1)]),
        writer.submit([event("b", 1), event("b", 77)]),
        writer.submit([event("c", 1, event_id="x" * 200)]),
    )
    ingest.gate.release(2)
    assert good.result(10).versions == {"a": 1}
    with pytest.raises(UnknownAnimeError, match="77"):
        unknown.result(10)
    with pytest.raises(InvalidInputError, match="event_id"):
        bad.result(10)
    assert {one.user_id for _, one in ingest.log.read()} == {"a"}
    writer.close()


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GROUP", 10)
    ingest = GatedIngest()
    writer = Writer(ingest)
    writer.submit([])
    ingest.inside.acquire()
    futures = [writer.submit(clicks(4, user_id=str(number), anime_ids=[1])) for number in range(6)]
    ingest.gate.release(10)
    for future in futures:
        future.result(10)
    assert ingest.groups == [1, 3, 3]
    writer.close()


def test_too_many_waiting_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    ingest = GatedIngest()
    writer = Writer(ingest)
    writer.submit([])
    ingest.inside.acquire()
    writer.submit([])
    writer.submit([])
    with pytest.raises(StorageError) as caught:
        writer.submit([])
    assert caught.value.message == "2 requests are waiting for the disk"
    assert caught.value.hint == "send it again in a second"
    ingest.gate.release(10)
    writer.close()


def test_other_work_takes_its_turn() -> None:
    ingest = GatedIngest()
    writer = Writer(ingest)
    forget = ForgetUser(
        log=ingest.log,
        history=ingest.log,
        states=ingest.states,
        tombstones=MemoryTombstones(),
        forget_impressions=lambda _: 0,
        clock=FakeClock(),
    )
    before = writer.submit(clicks(3, user_id="a", anime_ids=[1]))
    gone = writer.call(lambda: forget("a"))
    after = writer.submit(clicks(1, user_id="a", anime_ids=[1]))
    failed = writer.call(lambda: 1 // 0)
    ingest.gate.release(10)
    assert before.result(10).versions == {"a": 3}
    assert gone.result(10) == Forgotten(events=3, state=True)
    assert after.result(10).versions == {"a": 1}
    with pytest.raises(ZeroDivisionError):
        failed.result(10)
    writer.close()


def test_a_failed_commit_reaches_every_caller_and_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = GatedIngest()
    ingest.gate.release(10)
    writer = Writer(ingest)

    def broken(_events: Any) -> Any:
        raise StorageError("disk full", hint="free space")

    with monkeypatch.context() as patch:
        patch.setattr(ingest.log, "append", broken)
        with pytest.raises(StorageError, match="disk full"):
            writer.submit([event("a", event_id="x")]).result(10)
    assert str(writer.last_error) == "disk full\n  → free space"
    assert writer.submit([event("a", event_id="x")]).result(10).accepted == ("x",)
    assert not writer.last_error
    writer.close()


def test_close_finishes_what_waits() -> None:
    ingest = GatedIngest()
    writer = Writer(ingest)
    futures = [writer.submit([event("a", event_id=str(number))]) for number in range(20)]
    ingest.gate.release(100)
    writer.close()
    assert all(future.result(0).accepted for future in futures)
    with pytest.raises(StorageError, match="stopping"):
        writer.submit([event()])


def test_batches_are_bounded() -> None:
    ingest = GatedIngest()
    ingest.gate.release()
    with pytest.raises(InvalidInputError) as caught:
        ingest(clicks(1001, anime_ids=[1]))
    assert caught.value.message == "a batch takes at most 1000 events, got 1001"
    assert ingest.log.last_offset() == 0
