"""User states in SQLite with a bounded LRU cache in memory."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gars.adapters.embedded import user_hashes
from gars.adapters.embedded.database import Database
from gars.adapters.embedded.state_codec import pack, unpack
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState

_SCHEMA = (
    # with a row id: without one, states over a kilobyte would each take pages of their own
    """
    CREATE TABLE IF NOT EXISTS states (
      user_id TEXT PRIMARY KEY,
      version INTEGER NOT NULL,
      state BLOB NOT NULL         -- the UserState, by state_codec.pack
    )
    """,
    "CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # a keyed hash of the id, because the id itself is forgotten
    "CREATE TABLE IF NOT EXISTS forgotten (user_hash BLOB PRIMARY KEY) WITHOUT ROWID",
)
_PUT = """
INSERT INTO states (user_id, version, state) VALUES (?, ?, ?)
ON CONFLICT (user_id) DO UPDATE SET version = excluded.version, state = excluded.state
WHERE excluded.version >= states.version
"""


class SqliteStateStore:
    """A ``StateStore`` in one SQLite file; ``cache_size`` states stay decoded in memory."""

    def __init__(self, path: Path, *, cache_size: int = 2_000, busy_timeout_s: float = 5.0) -> None:
        # NORMAL: the event log is the truth; states behind it are replayed from the checkpoint
        self._database = Database(path, _SCHEMA, synchronous="NORMAL", busy_timeout_s=busy_timeout_s)
        self._key = self._database.open_key()
        self._cache: OrderedDict[str, UserState] = OrderedDict()
        self._cache_size = cache_size
        self._lock = threading.Lock()

    def get(self, user_id: str) -> UserState | None:
        """Return a state from the cache, else from the file."""
        cached = self.at_hand(user_id)
        if cached is not None:
            return cached
        with self._database.read() as connection:
            row = connection.execute("SELECT state FROM states WHERE user_id = ?", (user_id,)).fetchone()
        if row is None:
            return None
        state = self._decode(user_id, row[0])
        with self._lock:
            newer = self._cache.get(user_id)  # a put may have come between
            if newer is not None and newer.version > state.version:
                return newer
            self._remember(state)
        return state

    def at_hand(self, user_id: str) -> UserState | None:
        """Return the state if it is cached; the cache is never older than the file."""
        with self._lock:
            cached = self._cache.get(user_id)
            if cached is not None:
                self._cache.move_to_end(user_id)
            return cached

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return states one by one: reads are local."""
        found = ((user_id, self.get(user_id)) for user_id in user_ids)
        return {user_id: state for user_id, state in found if state is not None}

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Commit states and checkpoints in one transaction, then update the cache."""
        rows = [(state.user_id, state.version, pack(state)) for state in states]
        kept: Sequence[UserState] = states
        with self._database.write() as connection:
            if rows and connection.executemany(_PUT, rows).rowcount < len(rows):
                kept = [state for state in states if _is_stored(connection, state)]
            connection.executemany(
                "INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                list((checkpoints or {}).items()),
            )
        with self._lock:
            for state in kept:
                self._remember(state)

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Store states as ``put`` does, except over a stored version above 0 or a deleted user."""
        with self._database.read() as connection:
            forgotten = {row[0] for row in connection.execute("SELECT user_hash FROM forgotten")}
        rows = [
            (state.user_id, state.version, pack(state))
            for state in states
            if not forgotten or self._hash(state.user_id) not in forgotten
        ]
        with self._database.write() as connection:
            kept = connection.executemany(_PUT, rows).rowcount if rows else 0
        with self._lock:
            self._cache.clear()  # thousands at once: let reads fill it again
        return kept

    def checkpoint(self, name: str) -> str | None:
        """Return the last committed checkpoint of a name."""
        with self._database.read() as connection:
            row = connection.execute("SELECT value FROM checkpoints WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return a page of user ids."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT user_id FROM states WHERE user_id > ? ORDER BY user_id LIMIT ?", (after, limit)
            ).fetchall()
        return [row[0] for row in rows]

    def forget(self, user_id: str) -> bool:
        """Delete a state and its bytes; a keyed hash of the id stays, so that a backfill does not restore it."""
        with self._database.deletion(user_id) as connection:
            count = connection.execute("DELETE FROM states WHERE user_id = ?", (user_id,)).rowcount
            connection.execute("INSERT OR IGNORE INTO forgotten VALUES (?)", (self._hash(user_id),))
        with self._lock:
            self._cache.pop(user_id, None)
        self._database.erase_deleted()
        return bool(count)

    def check(self) -> None:
        """Check that states can be written."""
        self._database.check()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _hash(self, user_id: str) -> bytes:
        return user_hashes.wrapped(user_hashes.unkeyed(user_id), self._key)

    def _remember(self, state: UserState) -> None:
        self._cache[state.user_id] = state
        self._cache.move_to_end(state.user_id)
        while len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)

    def _decode(self, user_id: str, blob: bytes) -> UserState:
        try:
            return unpack(blob)
        except ValueError as error:
            raise StorageError(
                f"the state of user {user_id!r} in {self._database.path} cannot be read: {error}",
                hint="states can be rebuilt from the event log: move the state store's file away and start again",
            ) from error


def _is_stored(connection: sqlite3.Connection, state: UserState) -> bool:
    """Return true if the file holds exactly this version of a state."""
    (version,) = connection.execute("SELECT version FROM states WHERE user_id = ?", (state.user_id,)).fetchone()
    return bool(version == state.version)
