"""The history worker's use case on doubles: order, retries, and what is left out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from gars.application.events.keep_history import KeepHistory
from gars.application.ports import Logged, Tombstone
from gars.domain.errors import StorageError
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction
from gars.entrypoints.worker.history import run
from gars.testing.contracts.impression_log import impression
from gars.testing.events import START, event
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog, MemoryTombstones

_START_MS = round(START.timestamp() * 1000)


class Stream:
    """Returns batches in order; counts polls and commits."""

    def __init__(self, *batches: tuple[list[Logged], list[Impression]]) -> None:
        self.waiting = list(batches)
        self.committed = 0
        self.polls = 0
        self.broken = False

    def poll(self) -> tuple[list[Logged], list[Impression]]:
        self.polls += 1
        return self.waiting.pop(0) if self.waiting else ([], [])

    def commit(self) -> None:
        if self.broken:
            raise StorageError("not committed")
        self.committed += 1


class History(MemoryEventLog):
    broken = False

    def keep(self, events: Sequence[tuple[int, Interaction]]) -> None:
        if self.broken:
            raise StorageError("away")
        known = [offset for offset, _ in self.entries]
        self.entries += [one for one in events if one[0] not in known]


class Impressions(MemoryImpressionLog):
    def keep(self, impressions: Sequence[tuple[int, Impression]]) -> None:
        self.append([one for _, one in impressions])


class World:
    def __init__(self, *batches: tuple[list[Logged], list[Impression]]) -> None:
        self.stream, self.history, self.impressions = Stream(*batches), History(), Impressions()
        self.tombstones = MemoryTombstones()
        self.keep = KeepHistory(
            stream=self.stream, history=self.history, impressions=self.impressions, tombstones=self.tombstones
        )

    @property
    def offsets(self) -> list[int]:
        return [offset for offset, _ in self.history.entries]


def logged(offset: int, user_id: str = "7") -> Logged:
    return Logged(user_id, offset, event(user_id, event_id=f"{user_id}-{offset}"), offset)


def forget(offset: int, user_id: str = "7") -> Logged:
    return Logged(user_id, offset, None, offset)


def test_what_is_written_is_committed() -> None:
    world = World(([logged(1), logged(2)], [impression("a")]))
    assert world.keep.step() == 3
    assert (world.offsets, len(world.impressions.impressions), world.stream.committed) == ([1, 2], 1, 1)
    assert world.keep.step() == 0
    assert (world.stream.committed, world.keep.kept) == (1, 3)


def test_a_write_that_fails_is_not_committed_and_is_done_again() -> None:
    world = World(([logged(1)], []))
    world.history.broken = True
    for _ in range(2):
        with pytest.raises(StorageError):
            world.keep.step()
    assert (world.stream.committed, world.stream.polls) == (0, 1)
    world.history.broken = False
    assert world.keep.step() == 1
    assert (world.offsets, world.stream.committed) == ([1], 1)


def test_a_commit_that_fails_leaves_the_batch_to_come_again() -> None:
    world = World(([logged(1)], []), ([logged(1), logged(2)], []))
    world.stream.broken = True
    with pytest.raises(StorageError, match="not committed"):
        world.keep.step()
    world.stream.broken = False
    world.keep.step()
    assert world.offsets == [1, 2]


def test_a_forget_has_its_place_among_the_events() -> None:
    world = World(([logged(1), logged(2, "8"), forget(3), logged(4), logged(5, "8")], []))
    world.keep.step()
    assert world.offsets == [2, 4, 5]


def test_lists_from_before_the_forget_are_left_out_however_late() -> None:
    early, late = impression("early"), impression("late", at=START + timedelta(hours=2))
    world = World(([], [early]), ([logged(1), forget(2)], []), ([], [early, late, impression("other", "8")]))
    world.keep.step()
    assert len(world.impressions.impressions) == 1
    world.tombstones.put("7", Tombstone(offset=2, time_ms=_START_MS + 1))
    world.keep.step()
    assert world.impressions.impressions == []
    world.keep.step()
    assert [one.request_id for one in world.impressions.impressions] == ["late", "other"]


def test_worker_waits_for_engines_and_ends_on_a_signal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    world = World(([logged(1)], []))
    world.history.broken = True
    heartbeat = tmp_path / "deep" / "heartbeat"

    def mend_and_end() -> bool:
        return world.keep.kept == 1

    class Mending(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            world.history.broken = False  # while the worker waits, the engine comes back
            return super().wait(0)

    stop = Mending()
    run(world.keep, stop, heartbeat=heartbeat, is_done=mend_and_end)
    assert "the history waits: away" in caplog.text
    assert heartbeat.exists()
    assert world.offsets == [1]
    stop.set()
    run(world.keep, stop)  # returns at once
