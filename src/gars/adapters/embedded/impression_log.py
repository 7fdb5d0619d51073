"""The impression log in a separate SQLite file, so that its writes do not delay clicks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from gars.adapters.embedded.database import Database
from gars.adapters.embedded.title_columns import TITLES, TitleColumns
from gars.domain.errors import StorageError
from gars.domain.impression import Impression
from gars.domain.impression_codec import ImpressionCodec

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS impressions (
      number INTEGER PRIMARY KEY,
      user_id TEXT NOT NULL,
      time_ms INTEGER NOT NULL,
      impression BLOB NOT NULL      -- domain.impression_codec without the user; in older rows MessagePack with them
    )
    """,
    "CREATE INDEX IF NOT EXISTS impressions_by_user ON impressions (user_id)",
    "DROP INDEX IF EXISTS impressions_of_user",  # of older files: with the time, which few deletions ask for
    "CREATE INDEX IF NOT EXISTS impressions_by_time ON impressions (time_ms)",
    *TITLES,
)
_PAGE = 200
_LAST = 2**63 - 1
_AT_ONCE = 2_000
"""Rows deleted in one transaction when there are too many: writers wait for it."""


class SqliteImpressionLog:
    """An ``ImpressionLog`` in one SQLite file."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self._database = Database(
            path, _SCHEMA, synchronous="NORMAL", busy_timeout_s=busy_timeout_s, returns_space=True
        )
        self._titles = TitleColumns(self._database)
        self._codec = ImpressionCodec(self._titles)
        self._lock = threading.Lock()

    def append(self, impressions: Sequence[Impression]) -> None:
        """Append impressions and new title features in one transaction."""
        with self._lock:
            records = self._codec.encode_many([replace(one, user_id="") for one in impressions])
            rows = [(one.user_id, one.time_ms, record) for one, record in zip(impressions, records, strict=True)]
            try:
                with self._database.write() as connection:
                    self._titles.write(connection, impressions)
                    connection.executemany(
                        "INSERT INTO impressions (user_id, time_ms, impression) VALUES (?, ?, ?)", rows
                    )
            except BaseException:
                self._drop_titles()
                raise
            self._titles.keep_written()

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Yield the log in pages."""
        only = "" if user_id is None else " AND user_id = ?"
        query = (
            f"SELECT number, user_id, impression FROM impressions WHERE number > ?{only} ORDER BY number LIMIT {_PAGE}"
        )
        after = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query, (after,) if user_id is None else (after, user_id)).fetchall()
            for number, owner, blob in rows:
                yield self._decode(number, owner, blob)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def users(self) -> list[str]:
        """Return user ids, read from the index alone."""
        with self._database.read() as connection:
            return [row[0] for row in connection.execute("SELECT DISTINCT user_id FROM impressions ORDER BY user_id")]

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete a user's rows and their bytes."""
        with self._database.deletion(user_id) as connection:
            count = connection.execute(
                "DELETE FROM impressions WHERE user_id = ? AND time_ms <= ?",
                (user_id, _LAST if up_to_ms is None else up_to_ms),
            ).rowcount
        self._database.erase_deleted()
        return int(count)

    def expire(self, *, before: datetime) -> int:
        """Delete old rows, and titles of models without lists since; free their space."""
        before_ms = round(before.timestamp() * 1000)
        with self._lock:
            with self._database.write() as connection:
                count = connection.execute("DELETE FROM impressions WHERE time_ms < ?", (before_ms,)).rowcount
                self._titles.expire(connection, before_ms)
            self._drop_titles()
        self._database.give_back()
        return int(count)

    def trim(self, *, to_bytes: int, at_most: int) -> int:
        """Delete up to ``at_most`` of the oldest rows until the file uses ``to_bytes`` or less; free their space."""
        deleted = 0
        while deleted < at_most:
            used = self._database.used_bytes()
            if used <= to_bytes:
                break
            with self._database.write() as connection:
                first, last = connection.execute("SELECT min(number), max(number) FROM impressions").fetchone()
                if first is None:
                    break
                too_many = 1 + (last - first + 1) * (used - to_bytes) // used
                last_number = first + min(too_many, _AT_ONCE, at_most - deleted)
                gone = connection.execute("DELETE FROM impressions WHERE number < ?", (last_number,)).rowcount
            deleted += gone
        if deleted:
            self._database.give_back()
        return deleted

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _drop_titles(self) -> None:
        """Discard cached titles after a rollback: they were not committed."""
        self._titles.drop()
        self._codec.drop_kept()

    def _decode(self, number: int, user_id: str, blob: bytes) -> Impression:
        try:
            return replace(self._codec.decode(blob), user_id=user_id)
        except ValueError as error:
            raise StorageError(
                f"impression {number} in {self._database.path} cannot be read: {error}",
                hint="the file is damaged: move it away; only training from the log misses it",
            ) from error
