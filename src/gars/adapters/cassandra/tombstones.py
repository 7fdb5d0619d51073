"""Who was forgotten, in Cassandra: a keyed hash of each id, so that replays and backfills leave them alone."""

from __future__ import annotations

import hashlib
import secrets

from gars.adapters.cassandra.connection import Connection
from gars.application.ports import Tombstone

_FIND = "SELECT log_offset, time_ms, settled FROM tombstones WHERE user_hash = ?"
_INSERT = "INSERT INTO tombstones (user_hash, log_offset, time_ms, settled) VALUES (?, ?, ?, false) IF NOT EXISTS"
_MOVE = """
UPDATE tombstones SET log_offset = ?, time_ms = ?, settled = false WHERE user_hash = ? IF log_offset = ? AND time_ms = ?
"""
_SETTLE = "UPDATE tombstones SET settled = true WHERE user_hash = ? IF EXISTS"


class CassandraTombstones:
    """``Tombstones`` decided by agreement of the replicas (lightweight transactions): forgetting is rare."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._closed = False
        self._key: bytes | None = None

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Insert it, or move the one there is forward."""
        user_hash = self._hash(user_id)
        while True:
            held = next(self._connection.rows(_FIND, user_hash), None)
            if held is None:
                done = self._connection.run(_INSERT, user_hash, stone.offset, stone.time_ms)
            else:
                later = max(held.log_offset, stone.offset), max(held.time_ms, stone.time_ms)
                done = self._connection.run(_MOVE, *later, user_hash, held.log_offset, held.time_ms)
            if done.was_applied:
                return

    def settle(self, user_id: str) -> None:
        """Mark a row."""
        self._connection.run(_SETTLE, self._hash(user_id))

    def settle_all(self) -> None:
        """Mark every row."""
        for row in self._connection.rows("SELECT user_hash, settled FROM tombstones"):
            if not row.settled:
                self._connection.run(_SETTLE, row.user_hash)

    def find(self, user_id: str) -> Tombstone | None:
        """The row of a user."""
        row = next(self._connection.rows(_FIND, self._hash(user_id)), None)
        return Tombstone(offset=row.log_offset, time_ms=row.time_ms, settled=row.settled) if row else None

    def newest_offset(self) -> int:
        """The largest offset of all rows."""
        return max((row.log_offset for row in self._connection.rows("SELECT log_offset FROM tombstones")), default=0)

    def is_unsettled(self) -> bool:
        """Whether a row is not marked."""
        return any(not row.settled for row in self._connection.rows("SELECT settled FROM tombstones"))

    def close(self) -> None:
        """Let go of the connection; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def _hash(self, user_id: str) -> bytes:
        if self._key is None:
            made = secrets.token_bytes(16)
            self._connection.run("INSERT INTO tombstone_key (id, key) VALUES (1, ?) IF NOT EXISTS", made)
            self._key = next(self._connection.rows("SELECT key FROM tombstone_key WHERE id = 1")).key
        return hashlib.blake2b(user_id.encode(), digest_size=16, key=self._key).digest()
