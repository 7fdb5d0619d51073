"""Tombstones of deleted users, in a separate file, so that restoring older copies of the other files keeps them.

Only the keyed hash of a user's id is stored; the key is in a file next to it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from gars.adapters.embedded.database import Database
from gars.application.ports import Tombstone

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS tombstones (
      user_hash BLOB PRIMARY KEY,
      offset INTEGER NOT NULL,    -- the log's last offset when the user was forgotten
      time_ms INTEGER NOT NULL,
      settled INTEGER NOT NULL    -- 1: everything was deleted
    ) WITHOUT ROWID
    """,
)
_PUT = """
INSERT INTO tombstones (user_hash, offset, time_ms, settled) VALUES (?, ?, ?, 0)
ON CONFLICT (user_hash) DO UPDATE SET offset = max(offset, excluded.offset),
  time_ms = max(time_ms, excluded.time_ms), settled = 0
"""


class SqliteTombstones:
    """``Tombstones`` in one SQLite file."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self._database = Database(path, _SCHEMA, synchronous="FULL", busy_timeout_s=busy_timeout_s)
        self._key = self._database.open_key(required="tombstones")

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Insert a user's row, or advance the existing one."""
        with self._database.write() as connection:
            connection.execute(_PUT, (self._hash(user_id), stone.offset, stone.time_ms))

    def settle(self, user_id: str) -> None:
        """Mark a user's row as settled."""
        with self._database.write() as connection:
            connection.execute("UPDATE tombstones SET settled = 1 WHERE user_hash = ?", (self._hash(user_id),))

    def settle_all(self) -> None:
        """Mark every row as settled."""
        with self._database.write() as connection:
            connection.execute("UPDATE tombstones SET settled = 1 WHERE settled = 0")

    def find(self, user_id: str) -> Tombstone | None:
        """Return a user's tombstone."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT offset, time_ms, settled FROM tombstones WHERE user_hash = ?", (self._hash(user_id),)
            ).fetchone()
        return Tombstone(offset=row[0], time_ms=row[1], settled=bool(row[2])) if row else None

    def newest_offset(self) -> int:
        """Return the largest offset of all rows."""
        with self._database.read() as connection:
            (newest,) = connection.execute("SELECT coalesce(max(offset), 0) FROM tombstones").fetchone()
        return int(newest)

    def is_unsettled(self) -> bool:
        """Return true if any row is not settled."""
        with self._database.read() as connection:
            row = connection.execute("SELECT 1 FROM tombstones WHERE settled = 0 LIMIT 1").fetchone()
        return row is not None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _hash(self, user_id: str) -> bytes:
        return hashlib.blake2b(user_id.encode(), digest_size=16, key=self._key).digest()
