"""The lists that were shown, by user, in Cassandra."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

from gars.adapters.cassandra.connection import Connection
from gars.domain.errors import StorageError
from gars.domain.impression import Impression
from gars.domain.impression_codec import ImpressionCodec

_INSERT = """
INSERT INTO impressions_by_user (user_id, time, number, request_id, impression) VALUES (?, ?, ?, ?, ?) USING TTL ?
"""
_READ = "SELECT impression FROM impressions_by_user"
_COUNT = "SELECT count(*) AS n FROM impressions_by_user WHERE user_id = ?"
_DELETE = "DELETE FROM impressions_by_user WHERE user_id = ?"


class CassandraImpressionLog:
    """An ``ImpressionLog``; each user's by time. Impressions expire ``ttl_s`` after they were written; 0: never."""

    def __init__(self, connection: Connection, *, ttl_s: int = 0) -> None:
        self._connection = connection
        self._ttl_s = ttl_s
        self._closed = False
        self._codec = ImpressionCodec()
        self._lock = threading.Lock()
        self._number = 0

    def append(self, impressions: Sequence[Impression]) -> None:
        """Number and write impressions."""
        with self._lock:
            first = self._number = max(self._number, time.time_ns())
            self._number += len(impressions)
        self.keep(list(enumerate(impressions, first)))

    def keep(self, impressions: Sequence[tuple[int, Impression]]) -> None:
        """Write impressions under given numbers; repeating a write changes nothing. As ``append``."""
        with self._lock:
            records = self._codec.encode_many([one for _, one in impressions])
            rows = [
                (one.user_id, one.time_ms, number, one.request_id, record, self._ttl_s)
                for (number, one), record in zip(impressions, records, strict=True)
            ]
        self._connection.run_many(_INSERT, rows)

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Yield a user's impressions in the order shown, or those of all users one after another."""
        if user_id is not None:
            yield from self._read(user_id)
            return
        for known in self.users():
            yield from self._read(known)

    def users(self) -> list[str]:
        """Return user ids, read from the partition keys alone."""
        rows = self._connection.rows("SELECT DISTINCT user_id FROM impressions_by_user")
        return sorted(row.user_id for row in rows)

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete a user's rows."""
        until = "" if up_to_ms is None else " AND time <= ?"
        values = (user_id,) if up_to_ms is None else (user_id, up_to_ms)
        (counted,) = self._connection.rows(_COUNT + until, *values)
        if counted.n:
            self._connection.run(_DELETE + until, *values)
        return int(counted.n)

    def expire(self, *, before: datetime) -> int:
        """Delete impressions before a time, user by user. ``ttl_s`` does the same without reading all users."""
        last_ms = round(before.timestamp() * 1000) - 1
        return sum(self.forget(user_id, up_to_ms=last_ms) for user_id in self.users())

    def trim(self, *, to_bytes: int, at_most: int) -> int:  # noqa: ARG002
        """Do nothing: ``ttl_s`` bounds the size of the cluster's data."""
        return 0

    def close(self) -> None:
        """Release the connection; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def _read(self, user_id: str) -> Iterator[Impression]:
        for row in self._connection.rows(f"{_READ} WHERE user_id = ?", user_id):
            try:
                yield self._codec.decode(row.impression)
            except ValueError as error:
                raise StorageError(
                    f"an impression of user {user_id!r} in Cassandra cannot be read: {error}",
                    hint="delete the row; only training from the log misses it",
                ) from error
