"""Tombstones of deleted users in Cassandra, by keyed hash of the id, so that replays and backfills skip them."""

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
    """``Tombstones`` by consensus of the replicas (lightweight transactions): deletions are rare."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._closed = False
        self._key: bytes | None = None

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Insert a tombstone, or advance the existing one."""
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
        """Mark a user's row as settled."""
        self._connection.run(_SETTLE, self._hash(user_id))

    def settle_all(self) -> None:
        """Mark every row as settled."""
        for row in self._connection.rows("SELECT user_hash, settled FROM tombstones"):
            if not row.settled:
                self._connection.run(_SETTLE, row.user_hash)

    def find(self, user_id: str) -> Tombstone | None:
        """Return a user's tombstone."""
        row = next(self._connection.rows(_FIND, self._hash(user_id)), None)
        return Tombstone(offset=row.log_offset, time_ms=row.time_ms, settled=row.settled) if row else None

    def newest_offset(self) -> int:
        """Return the largest offset of all rows."""
        return max((row.log_offset for row in self._connection.rows("SELECT log_offset FROM tombstones")), default=0)

    def is_unsettled(self) -> bool:
        """Return true if any row is not settled."""
        return any(not row.settled for row in self._connection.rows("SELECT settled FROM tombstones"))

    def close(self) -> None:
        """Release the connection; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def _hash(self, user_id: str) -> bytes:
        if self._key is None:
            made = secrets.token_bytes(16)
            self._connection.run("INSERT INTO tombstone_key (id, key) VALUES (1, ?) IF NOT EXISTS", made)
            self._key = next(self._connection.rows("SELECT key FROM tombstone_key WHERE id = 1")).key
        return hashlib.blake2b(user_id.encode(), digest_size=16, key=self._key).digest()
