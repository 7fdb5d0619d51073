"""The impression log in a SQLite file of its own, so that it never stands in the way of a click."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from gars.adapters.embedded.database import Database
from gars.domain.errors import StorageError
from gars.domain.impression import Impression

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS impressions (
      number INTEGER PRIMARY KEY,
      user_id TEXT NOT NULL,
      time_ms INTEGER NOT NULL,
      impression BLOB NOT NULL      -- the Impression as MessagePack
    )
    """,
    "CREATE INDEX IF NOT EXISTS impressions_of_user ON impressions (user_id, time_ms)",
    "CREATE INDEX IF NOT EXISTS impressions_by_time ON impressions (time_ms)",
)
_PAGE = 200
_LAST = 2**63 - 1


class SqliteImpressionLog:
    """An ``ImpressionLog`` in one SQLite file."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self._database = Database(path, _SCHEMA, synchronous="NORMAL", busy_timeout_s=busy_timeout_s)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Impression)

    def append(self, impressions: Sequence[Impression]) -> None:
        """One transaction."""
        rows = [(one.user_id, one.time_ms, self._encoder.encode(one)) for one in impressions]
        with self._database.write() as connection:
            connection.executemany("INSERT INTO impressions (user_id, time_ms, impression) VALUES (?, ?, ?)", rows)

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Pages through the log."""
        only = "" if user_id is None else " AND user_id = ?"
        query = f"SELECT number, impression FROM impressions WHERE number > ?{only} ORDER BY number LIMIT {_PAGE}"
        after = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query, (after,) if user_id is None else (after, user_id)).fetchall()
            for number, blob in rows:
                yield self._decode(number, blob)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def users(self) -> list[str]:
        """Out of the index alone."""
        with self._database.read() as connection:
            return [row[0] for row in connection.execute("SELECT DISTINCT user_id FROM impressions ORDER BY user_id")]

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete a user's rows and their bytes."""
        with self._database.deletion() as connection:
            count = connection.execute(
                "DELETE FROM impressions WHERE user_id = ? AND time_ms <= ?",
                (user_id, _LAST if up_to_ms is None else up_to_ms),
            ).rowcount
        self._database.erase_deleted(user_id)
        return int(count)

    def expire(self, *, before: datetime) -> int:
        """Delete old rows."""
        with self._database.write() as connection:
            count = connection.execute(
                "DELETE FROM impressions WHERE time_ms < ?", (round(before.timestamp() * 1000),)
            ).rowcount
        return int(count)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _decode(self, number: int, blob: bytes) -> Impression:
        try:
            return self._decoder.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"impression {number} in {self._database.path} cannot be read: {error}",
                hint="the file is damaged: move it away; only training from the log misses it",
            ) from error
