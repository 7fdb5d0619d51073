"""The event log in SQLite: one row an event, synced to disk before ``append`` returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gars.adapters.embedded.database import Database
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  offset INTEGER PRIMARY KEY AUTOINCREMENT,  -- AUTOINCREMENT: an offset is never used twice, not even after forget
  event_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  event BLOB NOT NULL                        -- the Interaction as MessagePack
);
CREATE INDEX IF NOT EXISTS events_of_user ON events (user_id);
"""
_PAGE = 1000
_LAST = 2**63 - 1


class SqliteEventLog:
    """An ``EventLog`` in one SQLite file."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self._database = Database(path, _SCHEMA, synchronous="FULL", busy_timeout_s=busy_timeout_s)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Interaction)

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        """Append in one transaction; ``None`` marks an event that was already there."""
        rows = [(event.event_id, event.user_id, self._encoder.encode(event)) for event in events]
        offsets: list[int | None] = []
        with self._database.write() as connection:
            for row in rows:
                done = connection.execute(
                    "INSERT INTO events (event_id, user_id, event) VALUES (?, ?, ?) ON CONFLICT (event_id) DO NOTHING",
                    row,
                )
                offsets.append(done.lastrowid if done.rowcount else None)
        return offsets

    def read(self, *, after: int = 0, user_id: str | None = None) -> Iterator[tuple[int, Interaction]]:
        """Pages through the log, so that a long replay holds neither a lock nor the whole log in memory."""
        only = "" if user_id is None else " AND user_id = ?"
        query = f"SELECT offset, event FROM events WHERE offset > ?{only} ORDER BY offset LIMIT {_PAGE}"
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query, (after,) if user_id is None else (after, user_id)).fetchall()
            for offset, blob in rows:
                yield offset, self._decode(offset, blob)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def last_offset(self) -> int:
        """The newest offset ever given out, also if its event was forgotten since."""
        with self._database.read() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(row[0]) if row else 0

    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        """Delete a user's events and their bytes."""
        with self._database.write() as connection:
            count = connection.execute(
                "DELETE FROM events WHERE user_id = ? AND offset <= ?", (user_id, _LAST if up_to is None else up_to)
            ).rowcount
        self._database.erase_deleted()
        return int(count)

    def skip_to(self, offset: int) -> None:
        """Move the table's sequence forward."""
        with self._database.write() as connection:
            moved = connection.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'events'", (offset,)
            ).rowcount
            if not moved:
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (offset,))

    def check(self) -> None:
        """Prove that the log can be written."""
        self._database.check()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _decode(self, offset: int, blob: bytes) -> Interaction:
        try:
            return self._decoder.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"event {offset} in {self._database.path} cannot be read: {error}",
                hint="the file is damaged: move it away and restore a copy",
            ) from error
