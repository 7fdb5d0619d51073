"""A home written by an earlier version goes on working: its files are upgraded whole, or left as they were.

``tests/fixtures/homes/make_home.py`` made the fixtures with the code of the commit they are named after.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gars.adapters.embedded import formats, user_hashes
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.user_state import Row, UserState
from gars.testing.engine import FakeEngine
from gars.testing.events import event

HOMES = Path(__file__).parents[2] / "fixtures" / "homes"
STORES: dict[str, list[Callable[[Path], Any]]] = {
    "gars.sqlite": [SqliteEventLog, SqliteStateStore],
    "forgotten.sqlite": [SqliteTombstones],
    "impressions.sqlite": [SqliteImpressionLog],
}
USERS, FORGOTTEN = ("alice", "bob", "carol"), ("dave-who-left", "erin-who-left")


@pytest.fixture(params=sorted(path.name for path in HOMES.iterdir() if path.is_dir()))
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    for script in (HOMES / request.param).glob("*.sql"):
        with closing(sqlite3.connect(tmp_path / f"{script.stem}.sqlite")) as connection:
            connection.executescript(script.read_text())
    return tmp_path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_everything_is_still_there(home: Path) -> None:
    with closing(sqlite3.connect(home / "gars.sqlite")) as connection:
        before = connection.execute("SELECT offset, user_id, event_id, event FROM events ORDER BY offset").fetchall()
        (newest,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    assert len(before) == 15

    with closing(SqliteEventLog(home / "gars.sqlite")) as log:
        kept = list(log.read())
        assert [(offset, one.user_id, one.event_id) for offset, one in kept] == [row[:3] for row in before]
        assert log.last_offset() == newest, "the offsets of deleted users are not given out again"
        again, foreign = kept[0][1], event("somebody else", event_id=kept[0][1].event_id)
        known, fresh = log.append([again, foreign])
        assert (known, (fresh or 0) > newest) == (None, True)
        own = {name: [one for _, one in kept if one.user_id == name] for name in USERS}
    with closing(SqliteStateStore(home / "gars.sqlite")) as states:
        for name in USERS:
            assert states.get(name) == user_state.fold(UserState(user_id=name), own[name])
        assert states.get("of the data set") is not None
        assert states.checkpoint("applied_offset") == str(newest)
    with closing(SqliteImpressionLog(home / "impressions.sqlite")) as shown:
        assert shown.users() == list(USERS)
    SqliteTombstones(home / "forgotten.sqlite").close()
    assert {name: version(home / name) for name in STORES} == dict.fromkeys(STORES, formats.FORMAT)


def test_deleted_users_stay_deleted(home: Path) -> None:
    with closing(SqliteStateStore(home / "gars.sqlite")) as states:
        back = [user_state.initial(name, [Row(1)]) for name in (*FORGOTTEN, "somebody new")]
        assert states.put_initial(back) == 1
        assert states.get("somebody new") is not None
    with closing(SqliteTombstones(home / "forgotten.sqlite")) as stones:
        for name, offset in zip(FORGOTTEN, (26, 27), strict=True):
            found = stones.find(name)
            assert found is not None
            assert (found.offset, found.settled) == (offset, True)
        assert stones.find("alice") is None


def test_a_service_starts_on_it_and_goes_on(home: Path) -> None:
    for start in range(2):
        with closing(open_service(from_environment({}, home=home), FakeEngine())) as service:
            state = service.states.get("alice")
            assert state is not None
            assert state.version == 5 + start
            service.writer.submit([event("alice", 5, event_id=f"new {start}")]).result()
            assert service.warnings() == {}


@pytest.mark.parametrize("name", STORES)
def test_an_upgrade_that_stops_half_way_changes_nothing(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(home / name)

    def fails(_connection: sqlite3.Connection, _path: Path) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(formats, "_STEPS", (*formats._STEPS, fails))
        patched.setattr(formats, "FORMAT", formats.FORMAT + 1)
        for store in STORES[name]:
            with pytest.raises(StorageError, match="disk I/O error"):
                store(home / name)
    assert dump(home / name) == before
    assert version(home / name) < formats.FORMAT
    for store in STORES[name]:
        store(home / name).close()
    assert version(home / name) == formats.FORMAT


@pytest.mark.parametrize("name", STORES)
def test_files_of_a_newer_version_are_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    for store in STORES[name]:
        store(tmp_path / name).close()
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        connection.execute(f"PRAGMA user_version = {formats.FORMAT + 1}")
    before = (tmp_path / name).read_bytes()
    for store in STORES[name]:
        with pytest.raises(
            StorageError, match=f"has format {formats.FORMAT + 1}; this version of GARS reads"
        ) as caught:
            store(tmp_path / name)
        assert "a newer GARS wrote it" in str(caught.value.hint)
    assert (tmp_path / name).read_bytes() == before


def unkeyed_hashes(names: list[str]) -> list[bytes]:
    """Compute what the version before stored of deleted users: what somebody with a list of ids would search for."""
    return [hashlib.blake2b(name.encode(), digest_size=16, person=b"gars.forgotten").digest() for name in names]


def test_hashes_of_deleted_users_are_keyed_and_the_key_is_outside(home: Path) -> None:
    old_key = sqlite3.connect(home / "forgotten.sqlite").execute("SELECT key FROM hash_key").fetchone()[0]
    for name, stores in STORES.items():
        for store in stores:
            store(home / name).close()
    content = b"".join(path.read_bytes() for path in home.glob("*.sqlite*"))
    found = [one for one in unkeyed_hashes([*FORGOTTEN, *USERS]) if one in content]
    print(f"{len(found)} of {len(FORGOTTEN)} deleted users found by their hashes")
    assert found == []
    assert old_key not in content
    keys = sorted(home.glob("*.key"))
    assert [path.name for path in keys] == ["forgotten.key", "gars.key"]
    assert [path.stat().st_mode & 0o777 for path in keys] == [0o600, 0o600]
    assert keys[0].read_bytes() == old_key


def test_tombstones_without_their_key_are_refused(home: Path) -> None:
    SqliteTombstones(home / "forgotten.sqlite").close()
    key = user_hashes.key_path(home / "forgotten.sqlite")
    kept = key.read_bytes()
    key.unlink()
    with pytest.raises(StorageError, match=r"forgotten\.key is missing: deleted users in forgotten\.sqlite"):
        SqliteTombstones(home / "forgotten.sqlite")
    assert not key.exists()
    key.write_bytes(b"another key")
    with pytest.raises(StorageError, match="is another key"):
        SqliteTombstones(home / "forgotten.sqlite")
    key.write_bytes(kept)
    with closing(SqliteTombstones(home / "forgotten.sqlite")) as stones:
        assert stones.find(FORGOTTEN[0]) is not None


def test_an_old_copy_put_back_is_upgraded_with_the_same_key(home: Path) -> None:
    copy = home.parent / "copy.sqlite"
    shutil.copy(home / "gars.sqlite", copy)
    SqliteStateStore(home / "gars.sqlite").close()
    for path in home.glob("gars.sqlite*"):
        path.unlink()
    shutil.copy(copy, home / "gars.sqlite")
    with closing(SqliteStateStore(home / "gars.sqlite")) as states:
        assert states.put_initial([user_state.initial(FORGOTTEN[0], [Row(1)])]) == 0
