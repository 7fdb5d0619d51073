"""After users are deleted somebody searches every file of the home for their ids: also after a crash in between."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gars.adapters.embedded import database as database_module
from gars.adapters.embedded.database import Database
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.application.events.forget_user import ForgetUser, is_due, keep_forgotten, keep_impressions_forgotten
from gars.application.ports import APPLIED_OFFSET
from gars.domain import user_state
from gars.domain.user_state import UserState
from gars.testing.clock import FakeClock
from gars.testing.contracts.impression_log import impression
from gars.testing.events import clicks
from gars_test_support.crash import Crash, CrashPoint

DELETED, STAYING = 180, 400


class Home:
    """The stores of a service in one folder."""

    def __init__(self, folder: Path, crash: CrashPoint | None = None) -> None:
        self.log = SqliteEventLog(folder / "gars.sqlite", busy_timeout_s=0.05)
        self.states = SqliteStateStore(folder / "gars.sqlite", busy_timeout_s=0.05)
        self.stones = SqliteTombstones(folder / "forgotten.sqlite")
        self.impressions = SqliteImpressionLog(folder / "impressions.sqlite", busy_timeout_s=0.05)
        if is_due(self.log, self.states, self.stones):
            keep_forgotten(self.log, self.states, self.stones)
        keep_impressions_forgotten(self.impressions, self.stones)
        self.forget = ForgetUser(
            log=self.log,
            history=self.log,
            states=self.states,
            tombstones=self.stones,
            forget_impressions=self.impressions.forget,
            clock=FakeClock(),
            after_step=crash or (lambda _: None),
        )

    def live(self, done: list[tuple[str, int]]) -> None:
        """Let users do one thing each."""
        events = [clicks(3, user_id=user_id)[number] for user_id, number in done]
        offset = self.log.append(events)[-1]
        states: dict[str, UserState] = {}
        for event in events:
            held = states.get(event.user_id) or self.states.get(event.user_id) or UserState(user_id=event.user_id)
            states[event.user_id] = user_state.apply(held, event)
        self.states.put(list(states.values()), checkpoints={APPLIED_OFFSET: str(offset)})
        self.impressions.append([impression(event.event_id, event.user_id) for event in events])

    def close(self) -> None:
        for store in (self.log, self.states, self.stones, self.impressions):
            store.close()


def ids() -> tuple[list[str], list[str]]:
    drawn = random.Random(0)
    names = [f"user-{drawn.getrandbits(48):012x}" for _ in range(DELETED + STAYING)]
    return names[:DELETED], names[DELETED:]


def left(folder: Path, names: list[str]) -> list[str]:
    """Return the ids that are anywhere in the bytes of the files."""
    content = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return [name for name in names if name.encode() in content]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the users came in no order of their ids, so that pages of the indexes were split."""
    folder = tmp_path_factory.mktemp("lived")
    deleted, staying = ids()
    everybody = [*deleted, *staying]
    order = [(name, number) for name in everybody for number in range(3)]
    random.Random(1).shuffle(order)
    with closing(Home(folder)) as home:
        for start in range(0, len(order), 50):
            home.live(order[start : start + 50])
    assert len(left(folder, everybody)) == len(everybody)
    return folder


def test_no_byte_of_a_deleted_id_is_left(lived: Path, tmp_path: Path) -> None:
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    deleted, staying = ids()
    with closing(Home(tmp_path)) as home:
        for name in deleted:
            home.forget(name)
        still = left(tmp_path, deleted)  # also while the service runs on
        print(f"{len(still)} of {DELETED} deleted ids are left in the files")
        assert still == []
        assert sorted(home.log.users()) == sorted(staying)
    assert left(tmp_path, deleted) == []


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_crash_in_the_middle_leaves_nothing_after_the_next_start(lived: Path, tmp_path: Path, step: int) -> None:
    """The process dies after a step of each of some deletions; the files are taken as they are then."""
    deleted, _ = ids()
    dying, home = tmp_path / "dying", tmp_path / "home"
    shutil.copytree(lived, home)
    some = deleted[step::18]
    for name in some:
        stores = Home(home, CrashPoint(step))
        with pytest.raises(Crash):
            stores.forget(name)
        shutil.copytree(home, dying)  # as the disk is when the process is gone
        stores.close()
        shutil.rmtree(home)
        dying.rename(home)
    Home(home).close()
    still = left(home, some)
    print(f"crash after step {step}: {len(still)} of {len(some)} deleted ids are left")
    assert still == []


@pytest.mark.parametrize("name", ["gars.sqlite", "impressions.sqlite"])
def test_a_crash_between_deleting_rows_and_erasing_their_bytes(
    lived: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted, _ = ids()
    home = tmp_path / "home"
    shutil.copytree(lived, home)
    stores = Home(home)
    plain: Callable[[Database], None] = Database.erase_deleted

    def dies(self: Database) -> None:
        if self.path.name == name:
            raise Crash("before erasing")
        plain(self)

    monkeypatch.setattr(Database, "erase_deleted", dies)
    some = deleted[:20]
    for user_id in some:
        with pytest.raises(Crash):
            stores.forget(user_id)
    shutil.copytree(home, tmp_path / "dead")
    stores.close()
    monkeypatch.undo()
    print(f"{len(left(tmp_path / 'dead', some))} of {len(some)} ids are in the files when the process is gone")
    Home(tmp_path / "dead").close()
    assert left(tmp_path / "dead", some) == []


def test_a_large_file_is_rewritten_by_the_next_start(
    lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "REWRITE_AT_ONCE", 0)
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    deleted, _ = ids()
    with closing(Home(tmp_path)) as home:
        for name in deleted[:30]:
            home.forget(name)
    Home(tmp_path).close()
    assert left(tmp_path, deleted[:30]) == []


@pytest.mark.parametrize("then", ["another deletion", "a start"])
def test_an_erasure_that_failed_is_done_later(lived: Path, tmp_path: Path, then: str) -> None:
    """A reader keeps the write-ahead logs from being emptied; the deletion itself is durable, so it is no error."""
    home, dead = tmp_path / "home", tmp_path / "dead"
    shutil.copytree(lived, home)
    deleted, _ = ids()
    some, last = deleted[:20], deleted[20]
    stores = Home(home)
    readers = [sqlite3.connect(home / name) for name in ("gars.sqlite", "impressions.sqlite")]
    for reader in readers:
        reader.execute("BEGIN").execute("SELECT count(*) FROM sqlite_schema").fetchone()
    for user_id in some:
        gone = stores.forget(user_id)
        assert (gone.events, gone.state, gone.impressions) == (3, True, 3)
    assert not is_due(stores.log, stores.states, stores.stones)
    print(f"{len(left(home, some))} of {len(some)} ids are in the files while they are read")
    assert left(home, some)
    for reader in readers:
        reader.close()
    if then == "another deletion":
        stores.forget(last)
        assert left(home, [*some, last]) == []
    shutil.copytree(home, dead)
    stores.close()
    Home(dead).close()
    assert left(dead, some) == []


@pytest.mark.parametrize("searches", [False, True])
def test_copies_in_unused_parts_of_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, searches: bool) -> None:
    """Splitting a page leaves copies of index entries behind that ``secure_delete`` knows nothing of."""
    if not searches:  # as the version before
        monkeypatch.setattr(database_module, "_holds", lambda _path, _user_ids: False)
    drawn = random.Random(2)
    names = [f"user-{drawn.getrandbits(48):012x}" for _ in range(DELETED + 1500)]
    order = [(name, number) for name in names for number in range(3)]
    drawn.shuffle(order)
    with closing(SqliteEventLog(tmp_path / "gars.sqlite")) as log:
        for start in range(0, len(order), 50):
            log.append([clicks(3, user_id=name)[number] for name, number in order[start : start + 50]])
        for name in names[:DELETED]:
            log.forget(name)
        still = left(tmp_path, names[:DELETED])
    print(f"{len(still)} of {DELETED} deleted ids are left in unused parts")
    assert (still == []) == searches


@pytest.mark.parametrize("user_id", ["7", "ab", "1234"])
def test_a_short_id_is_searched_for_where_a_record_could_hold_it(tmp_path: Path, user_id: str) -> None:
    """Longer ids contain it, so finding its bytes proves nothing."""
    path = tmp_path / "gars.sqlite"
    with closing(SqliteStateStore(path)) as store:
        others = [UserState(user_id=f"{user_id}{number}") for number in range(300)]
        store.put(others)
    assert user_id.encode() in path.read_bytes()
    assert not database_module._holds(path, [user_id])
    with closing(SqliteStateStore(path)) as store:
        store.put([UserState(user_id=user_id)])
    assert database_module._holds(path, [user_id])
    with closing(SqliteStateStore(path)) as store:
        assert store.forget(user_id)
    assert not database_module._holds(path, [user_id])
