"""Events by user in Cassandra: history, export, deletion, and the source of a replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from gars.adapters.cassandra.connection import Connection
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction

_INSERT = """
INSERT INTO interactions_by_user (user_id, event_time, event_id, log_offset, event) VALUES (?, ?, ?, ?, ?) USING TTL ?
"""
_READ = "SELECT log_offset, event FROM interactions_by_user WHERE user_id = ?"
_READ_BETWEEN = """
SELECT user_id, log_offset, event FROM interactions_by_user WHERE token(user_id) > ? AND token(user_id) <= ?
"""
_KEYS = "SELECT event_time, event_id, log_offset FROM interactions_by_user WHERE user_id = ?"
_DELETE = "DELETE FROM interactions_by_user WHERE user_id = ?"
_LIMIT = "INSERT INTO interaction_limits (ttl_s, since) VALUES (?, toTimestamp(now())) IF NOT EXISTS"
_LIMITS = "SELECT ttl_s, since, toTimestamp(now()) AS now FROM interaction_limits"
_DELETE_ONE = f"{_DELETE} AND event_time = ? AND event_id = ? AND log_offset = ?"


class CassandraHistory:
    """An ``EventHistory`` with idempotent writes. Events expire ``ttl_s`` after they were written; 0: never."""

    def __init__(self, connection: Connection, *, ttl_s: int = 0) -> None:
        self._connection = connection
        self._ttl_s = ttl_s
        self._limited = False
        self._closed = False
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Interaction)

    def keep(self, events: Sequence[tuple[int, Interaction]]) -> None:
        """Write events with their offsets in the log; all are acknowledged when it returns. Raises ``StorageError``."""
        if self._ttl_s and not self._limited:  # stored before the first row that expires
            self._connection.run(_LIMIT, self._ttl_s)
            self._limited = True
        self._connection.run_many(
            _INSERT,
            [
                (event.user_id, event.time_ms, event.event_id, offset, self._encoder.encode(event), self._ttl_s)
                for offset, event in events
            ],
        )

    def read_user(self, user_id: str) -> Iterator[tuple[int, Interaction]]:
        """Yield a user's events in the order accepted; a repeated event keeps its first position."""
        yield from self._in_order(user_id, self._connection.rows(_READ, user_id))

    def read_between(self, after: int, up_to: int) -> Iterator[tuple[str, list[tuple[int, Interaction]]]]:
        """Users with tokens above ``after`` and up to ``up_to`` (``ring.pieces``), each as ``read_user`` gives them."""
        rows = self._connection.rows(_READ_BETWEEN, after, up_to)
        for user_id, own in groupby(rows, key=lambda row: str(row.user_id)):
            yield user_id, list(self._in_order(user_id, own))

    def users(self) -> Iterator[str]:
        """Yield user ids, unordered, read from the partition keys alone."""
        for row in self._connection.rows("SELECT DISTINCT user_id FROM interactions_by_user"):
            yield row.user_id

    def incomplete_since(self) -> datetime | None:
        """When the first rows went whose time was over; ``None`` while there were none. Raises ``StorageError``.

        From the first one written with each time to live: whatever was written later goes later.
        """
        limits = list(self._connection.rows(_LIMITS))
        first = min((row.since + timedelta(seconds=row.ttl_s) for row in limits), default=None)
        return None if first is None or first > limits[0].now else first.replace(tzinfo=UTC)

    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        """Delete a user's rows.

        Their bytes go from the disk with the next compactions (docs/reference/cluster/cassandra.md).
        """
        rows = list(self._connection.rows(_KEYS, user_id))
        gone = [row for row in rows if up_to is None or row.log_offset <= up_to]
        if len(gone) == len(rows):
            self._connection.run(_DELETE, user_id)
        else:
            self._connection.run_many(
                _DELETE_ONE, [(user_id, row.event_time, row.event_id, row.log_offset) for row in gone]
            )
        return len({row.event_id for row in gone})

    def close(self) -> None:
        """Release the connection; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def _in_order(self, user_id: str, rows: Iterable[Any]) -> Iterator[tuple[int, Interaction]]:
        seen: set[str] = set()
        for offset, blob in sorted((row.log_offset, row.event) for row in rows):
            event = self._decode(user_id, offset, blob)
            if event.event_id not in seen:
                seen.add(event.event_id)
                yield offset, event

    def _decode(self, user_id: str, offset: int, blob: bytes) -> Interaction:
        try:
            return self._decoder.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"event {offset} of user {user_id!r} in Cassandra cannot be read: {error}",
                hint="write it again from the log: gars worker history --from-start",
            ) from error
