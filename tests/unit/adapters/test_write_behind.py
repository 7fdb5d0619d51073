"""States in memory at once and on disk a moment later: read in between, refused by the disk, newer, forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.write_behind import WriteBehind
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState

NEVER = 3600.0
DEADLINE_S = 30


class Disk(SqliteStateStore):
    """Counts, refuses, and holds its writes."""

    def __init__(self, path: Path, cache_size: int = 2_000) -> None:
        super().__init__(path, cache_size=cache_size)
        self.written: list[list[str]] = []
        self.full = False
        self.entered = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def put(self, states: Sequence[UserState], **more: Any) -> None:
        self.entered.set()
        assert self.may_go_on.wait(DEADLINE_S)
        if self.full:
            raise StorageError("the disk is full")
        super().put(states, **more)
        self.written.append([state.user_id for state in states])


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "states.sqlite")


@pytest.fixture
def opened() -> Iterator[Callable[..., WriteBehind]]:
    stores: list[WriteBehind] = []

    def open_(disk: Disk, **settings: Any) -> WriteBehind:
        stores.append(WriteBehind(disk, **{"most_waiting": 100, **settings}))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def state(user_id: str, version: int) -> UserState:
    return UserState(user_id=user_id, version=version)


def test_a_state_changed_often_is_written_once(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    store = opened(disk, wait_s=NEVER)
    for version in range(1, 6):
        store.put([state("7", version)], checkpoints={"applied": str(version)})
        assert store.get("7") == store.at_hand("7") == state("7", version)
        assert store.checkpoint("applied") == str(version)
    assert disk.written == []
    store.flush()
    assert disk.written == [["7"]]
    assert disk.get("7") == state("7", 5)
    assert disk.checkpoint("applied") == "5"
    store.flush()
    assert disk.written == [["7"]], "nothing waits, nothing is written"


def test_it_writes_by_itself(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    opened(disk, wait_s=0).put([state("7", 1)])
    assert disk.entered.wait(DEADLINE_S)


def test_a_version_never_moves_backwards(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    store = opened(disk, wait_s=NEVER)
    store.put([state("7", 2), state("7", 1)])
    assert store.get("7") == state("7", 2)
    store.flush()
    store.put([state("7", 1)])
    assert store.get("7") == state("7", 2)


def test_what_the_disk_refuses_waits_on(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    store = opened(disk, wait_s=NEVER)
    store.put([state("7", 1), state("8", 1)], checkpoints={"applied": "2"})
    disk.full = True
    with pytest.raises(StorageError, match="the disk is full"):
        store.check()
    store.put([state("7", 2)])
    assert store.get("7") == state("7", 2)
    assert store.get("8") == state("8", 1)
    assert store.checkpoint("applied") == "2"
    disk.full = False
    store.flush()
    assert disk.get("7") == state("7", 2)
    assert disk.get("8") == state("8", 1)


def test_who_brings_too_many_writes_them_first(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    store = opened(disk, wait_s=NEVER, most_waiting=2)
    store.put([state("1", 1), state("2", 1)])
    store.put([state("2", 2), state("1", 2)])
    assert disk.written == [], "newer states of those that are queued are no more of them"
    store.put([state("3", 1)])
    assert sorted(disk.written[0]) == ["1", "2"]
    disk.full = True
    with pytest.raises(StorageError):
        store.put([state("4", 1), state("5", 1)])
    disk.full = False


def test_what_is_being_written_is_read(tmp_path: Path, opened: Callable[..., WriteBehind]) -> None:
    disk = Disk(tmp_path / "states.sqlite", cache_size=1)
    store = opened(disk, wait_s=NEVER)
    store.put([state("7", 1), state("8", 1)])
    disk.may_go_on.clear()
    writing = threading.Thread(target=store.flush)
    writing.start()
    assert disk.entered.wait(DEADLINE_S)
    assert store.get("7") == state("7", 1)
    store.put([state("7", 2)])
    assert store.get("7") == state("7", 2)
    disk.may_go_on.set()
    writing.join(DEADLINE_S)
    assert store.get("7") == state("7", 2)
    assert store.get("8") == state("8", 1)


def test_who_is_forgotten_is_not_written_later(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    store = opened(disk, wait_s=NEVER)
    store.put([state("7", 1)])
    assert store.forget("7") is True
    store.flush()
    assert store.get("7") is None
    assert disk.written == []


def test_who_has_live_events_keeps_them(disk: Disk, opened: Callable[..., WriteBehind]) -> None:
    store = opened(disk, wait_s=NEVER)
    store.put([state("7", 1)])
    assert store.put_initial([state("7", 0), state("8", 0)]) == 1
    assert store.get("7") == state("7", 1)
    assert store.user_ids(limit=9) == ["7", "8"]


def test_close_on_a_full_disk_is_logged(
    disk: Disk, opened: Callable[..., WriteBehind], caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(disk, wait_s=NEVER)
    store.put([state("7", 1)])
    disk.full = True
    store.close()
    assert "states will be replayed from the event log at the next start: the disk is full" in caplog.text
