"""Forgetting a user stops half-way, or an old copy of a file is put back: the next start deletes what is left."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.application.events.backfill import backfill
from gars.application.events.forget_user import (
    ForgetUser,
    is_due,
    keep_forgotten,
    keep_impressions_forgotten,
    pass_tombstones,
)
from gars.application.events.ingest import Ingest
from gars.application.events.recover import applied_offset, recover
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.domain.user_state import Row, UserState
from gars.testing.clock import FakeClock
from gars.testing.contracts.impression_log import impression
from gars.testing.events import clicks, event
from gars_test_support.crash import Crash, CrashPoint

SECRET = "a-very-particular-person"
ANIME = {1, 5, 1535, 5114}


class Process:
    """One life of the service on a folder: what ``open_service`` does with the stores."""

    def __init__(self, folder: Path, crash: CrashPoint | None = None, *, dataset: str | None = None) -> None:
        self.log = SqliteEventLog(folder / "gars.sqlite")
        self.states = SqliteStateStore(folder / "gars.sqlite")
        self.stones = SqliteTombstones(folder / "forgotten.sqlite")
        folded = backfill([(SECRET, [Row(1, 8)])], self.states, content_hash=dataset) if dataset else 0
        due = folded or is_due(self.log, self.states, self.stones)
        self.deleted = keep_forgotten(self.log, self.states, self.stones) if due else []
        recover(self.log, self.states)
        pass_tombstones(self.log, self.states, self.stones)
        clock = FakeClock()
        self.ingest = Ingest(log=self.log, states=self.states, feed=MemoryChangeFeed(), clock=clock, known_anime=ANIME)
        self.forget = ForgetUser(
            log=self.log,
            history=self.log,
            states=self.states,
            tombstones=self.stones,
            forget_impressions=lambda _: 0,
            clock=clock,
            after_step=crash or (lambda _: None),
        )

    def events(self, user_id: str) -> list[Interaction]:
        return [one for _, one in self.log.read_user(user_id)]

    def close(self) -> None:
        for store in (self.log, self.states, self.stones):
            store.close()


def files_with(folder: Path, text: str) -> list[str]:
    return [file.name for file in folder.iterdir() if file.is_file() and text.encode() in file.read_bytes()]


def a_life(folder: Path) -> None:
    """Two users with events; everything closed again."""
    folder.mkdir(exist_ok=True)
    with closing(Process(folder)) as first:
        first.ingest([*clicks(30, user_id=SECRET), *clicks(5, user_id="other")])


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_crash_in_the_middle_is_mended_by_the_next_start(tmp_path: Path, step: int) -> None:
    a_life(tmp_path)
    with closing(Process(tmp_path, CrashPoint(step))) as dying, pytest.raises(Crash):
        dying.forget(SECRET)
    with closing(Process(tmp_path)) as next_start:
        assert next_start.states.get(SECRET) is None
        assert next_start.events(SECRET) == []
        assert next_start.states.get("other") == user_state.fold(UserState(user_id="other"), clicks(5, user_id="other"))
    assert files_with(tmp_path, SECRET) == []
    with closing(Process(tmp_path)) as quiet:
        assert quiet.deleted == []
        assert not is_due(quiet.log, quiet.states, quiet.stones)


def test_an_old_copy_does_not_bring_a_user_back(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    a_life(home)
    shutil.copytree(home, copy)
    with closing(Process(home)) as service:
        service.ingest([event("other", 1, event_id="last")])
        service.forget(SECRET)
    shutil.copy(copy / "gars.sqlite", home / "gars.sqlite")
    assert files_with(home, SECRET) == ["gars.sqlite"]

    with closing(Process(home)) as restored:
        assert restored.deleted == [SECRET]
        assert restored.states.get(SECRET) is None
        # somebody of the same name may begin anew, and stays
        restored.ingest([event(SECRET, 5, event_id="new")])
    assert [name for name in files_with(home, SECRET) if not name.startswith("gars.sqlite")] == []
    with closing(Process(home)) as again:
        assert again.deleted == []
        assert [one.event_id for one in again.events(SECRET)] == ["new"]
        held = again.states.get(SECRET)
        assert held is not None
        assert held.version == 1


def test_old_states_with_a_newer_log_do_not_either(tmp_path: Path) -> None:
    """States and log in files of their own; only the states come from the copy."""

    def opened() -> tuple[SqliteEventLog, SqliteStateStore, SqliteTombstones]:
        return (
            SqliteEventLog(tmp_path / "log.sqlite"),
            SqliteStateStore(tmp_path / "states.sqlite"),
            SqliteTombstones(tmp_path / "forgotten.sqlite"),
        )

    log, states, stones = opened()
    with closing(log), closing(states), closing(stones):
        log.append(clicks(4, user_id=SECRET))
        recover(log, states)
        states.close()
        shutil.copy(tmp_path / "states.sqlite", tmp_path / "old")
        states = SqliteStateStore(tmp_path / "states.sqlite")
        ForgetUser(
            log=log,
            history=log,
            states=states,
            tombstones=stones,
            forget_impressions=lambda _: 0,
            clock=FakeClock(),
        )(SECRET)
        log.append([event(SECRET, 5, event_id="new"), event("other", 1, event_id="b")])
        recover(log, states)
        states.close()
    for file in tmp_path.glob("states.sqlite*"):
        file.unlink()
    shutil.copy(tmp_path / "old", tmp_path / "states.sqlite")
    log, states, stones = opened()
    with closing(log), closing(states), closing(stones):
        log.append([event("other", 5, event_id="c")])
        assert applied_offset(states) < stones.newest_offset()
        assert is_due(log, states, stones)
        keep_forgotten(log, states, stones)
        recover(log, states)
        held = states.get(SECRET)
        assert held is not None
        assert (held.version, [click.anime_id for click in held.clicks]) == (1, [5])


def test_a_new_data_set_does_not_either(tmp_path: Path) -> None:
    with closing(Process(tmp_path, dataset="first")) as service:
        assert service.states.get(SECRET) is not None
        service.forget(SECRET)
    # the store of the states is lost with its own memory of who was forgotten
    (tmp_path / "gars.sqlite").unlink()
    with closing(Process(tmp_path, dataset="second")) as rebuilt:
        assert rebuilt.deleted == [SECRET]
        assert rebuilt.states.get(SECRET) is None


class Failing:
    """A store of which one method fails until it is mended."""

    def __init__(self, store: Any, method: str) -> None:
        self.store, self.method, self.is_mended = store, method, False

    def __getattr__(self, name: str) -> Any:
        if name == self.method and not self.is_mended:
            raise StorageError("the disk is full", hint="free space")
        return getattr(self.store, name)


@pytest.mark.parametrize("then", ["asked again", "started again"])
@pytest.mark.parametrize(
    ("store", "method"),
    [
        ("log", "mark_forgotten"),
        ("stones", "put"),
        ("states", "forget"),
        ("history", "forget"),
        ("impressions", "forget"),
    ],
)
def test_a_failed_deletion_is_undone_or_finished(tmp_path: Path, store: str, method: str, then: str) -> None:
    """Before the tombstone nothing is deleted; after it the rest goes when it is asked again, or at the next start."""
    a_life(tmp_path)
    impressions = SqliteImpressionLog(tmp_path / "impressions.sqlite")
    with closing(impressions), closing(Process(tmp_path)) as process:
        impressions.append([impression("r", SECRET), impression("s", "other")])
        stores: dict[str, Any] = {
            "log": process.log, "states": process.states, "stones": process.stones,
            "history": process.log, "impressions": impressions,
        }  # fmt: skip
        before = process.states.get(SECRET), process.events(SECRET)
        failing = stores[store] = Failing(stores[store], method)
        forget = ForgetUser(
            log=stores["log"],
            history=stores["history"],
            states=stores["states"],
            tombstones=stores["stones"],
            forget_impressions=lambda user_id: stores["impressions"].forget(user_id),
            clock=FakeClock(),
        )
        with pytest.raises(StorageError, match="the disk is full"):
            forget(SECRET)
        is_decided = process.stones.find(SECRET) is not None
        assert is_decided == (store not in ("log", "stones"))
        if not is_decided:
            assert (process.states.get(SECRET), process.events(SECRET)) == before
        if then == "asked again":
            failing.is_mended = True
            forget(SECRET)
    if then == "started again" and not is_decided:
        return
    with closing(Process(tmp_path)) as again, closing(SqliteImpressionLog(tmp_path / "impressions.sqlite")) as shown:
        keep_impressions_forgotten(shown, again.stones)
        assert again.states.get(SECRET) is None
        assert again.events(SECRET) == []
        assert shown.users() == ["other"]
        assert len(again.events("other")) == 5
    assert files_with(tmp_path, SECRET) == []


@pytest.mark.parametrize(("store", "method"), [("states", "put"), ("stones", "settle")])
def test_a_deletion_that_only_cannot_be_marked_is_no_error(tmp_path: Path, store: str, method: str) -> None:
    a_life(tmp_path)
    with closing(Process(tmp_path)) as process:
        stores: dict[str, Any] = {"states": process.states, "stones": process.stones}
        stores[store] = Failing(stores[store], method)
        forget = ForgetUser(
            log=process.log,
            history=process.log,
            states=stores["states"],
            tombstones=stores["stones"],
            forget_impressions=lambda _: 0,
            clock=FakeClock(),
        )
        assert forget(SECRET).events == 30
        assert is_due(process.log, process.states, process.stones)
    with closing(Process(tmp_path)) as again:
        assert not is_due(again.log, again.states, again.stones)
        assert again.events(SECRET) == []


def test_what_came_after_a_failed_deletion_stays(tmp_path: Path) -> None:
    a_life(tmp_path)
    with closing(Process(tmp_path, CrashPoint(1))) as failing:
        with pytest.raises(Crash):
            failing.forget(SECRET)
        failing.ingest([event(SECRET, 5, event_id="new")])
    with closing(Process(tmp_path)) as mended:
        assert [one.event_id for one in mended.events(SECRET)] == ["new"]
        assert mended.states.get(SECRET) == user_state.fold(UserState(user_id=SECRET), mended.events(SECRET))
