"""How states lie in the file: compressed, and read also from files of before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gars.adapters.embedded.state_store import SqliteStateStore
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.user_state import Row, UserState

STATE = user_state.initial("7", [Row(anime_id, 8) for anime_id in range(200)])


def stored(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as file:
        (blob,) = file.execute("SELECT state FROM states WHERE user_id = '7'").fetchone()
    return bytes(blob)


def replace(path: Path, blob: bytes) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE states SET state = ? WHERE user_id = '7'", (blob,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "states.sqlite"
    with closing(SqliteStateStore(path)) as store:
        store.put([STATE])
    return path


def read(path: Path) -> UserState | None:
    with closing(SqliteStateStore(path)) as store:
        return store.get("7")


def test_a_state_takes_a_third(path: Path) -> None:
    assert len(stored(path)) < len(user_state.encode(STATE)) / 2
    assert read(path) == STATE


def test_a_file_from_before_states_were_compressed(path: Path) -> None:
    replace(path, user_state.encode(STATE))
    assert read(path) == STATE


@pytest.mark.parametrize("blob", [b"\x78broken", b"\xc1"])
def test_error_of_a_damaged_state_has_a_remedy(path: Path, blob: bytes) -> None:
    replace(path, blob)
    with pytest.raises(StorageError, match=r"the state of user '7' in .* cannot be read"):
        read(path)
