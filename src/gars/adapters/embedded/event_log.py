"""The event log and history in SQLite: one row an event, synced to disk before ``append`` returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import msgspec

from gars.adapters.embedded.database import Database
from gars.adapters.embedded.formats import EVENTS
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction

_SCHEMA = (
    EVENTS,
    "CREATE UNIQUE INDEX IF NOT EXISTS events_by_id ON events (user_id, event_id)",
    "CREATE INDEX IF NOT EXISTS events_of_user ON events (user_id)",
)
_FIND = "SELECT offset, event FROM events WHERE user_id = ? AND event_id = ?"
_PAGE = 1000
_BY_USER = f"""
SELECT user_id, offset, event FROM events INDEXED BY events_of_user
WHERE user_id > ? AND offset > ? AND offset <= ? ORDER BY user_id, offset LIMIT {_PAGE}
"""
_Row = tuple[str, str, bytes]
"""User id, event id, event."""
_LAST = 2**63 - 1


class SqliteEventLog:
    """A ``LocalEventLog`` in one SQLite file."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0) -> None:
        self._database = Database(path, _SCHEMA, synchronous="FULL", busy_timeout_s=busy_timeout_s)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Interaction)

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        """Append in one transaction; ``None`` marks an event of a user whose id the log has of this user already."""
        rows = [(event.user_id, event.event_id, self._encoder.encode(event)) for event in events]
        with self._database.write() as connection:
            return _all_new(connection, rows, self._last(connection) + 1) or _one_by_one(connection, rows)

    def mark_forgotten(self, user_id: str) -> int:
        """Take the next offset of the log."""
        del user_id  # one sequence for all
        with self._database.write() as connection:
            offset = self._last(connection) + 1
            self._skip_to(connection, offset)
        return offset

    def read(self, *, after: int = 0) -> Iterator[tuple[int, Interaction]]:
        """Yield the log in pages, so that a long replay holds neither a lock nor the whole log in memory."""
        return self._pages(after, None)

    def read_user(self, user_id: str) -> Iterator[tuple[int, Interaction]]:
        """Yield a user's events in pages."""
        return self._pages(0, user_id)

    def find(self, events: Sequence[Interaction]) -> dict[tuple[str, str], Interaction]:
        """Return stored events, with one index lookup for each."""
        held: dict[tuple[str, str], Interaction] = {}
        with self._database.read() as connection:
            for event in events:
                row = connection.execute(_FIND, (event.user_id, event.event_id)).fetchone()
                if row is not None:
                    held[event.user_id, event.event_id] = self._decode(*row)
        return held

    def users(self, *, after: str = "") -> Iterator[str]:
        """Yield user ids in ascending order, in pages of the index."""
        last = after
        while True:
            with self._database.read() as connection:
                rows = connection.execute(
                    f"SELECT DISTINCT user_id FROM events WHERE user_id > ? ORDER BY user_id LIMIT {_PAGE}", (last,)
                ).fetchall()
            yield from (row[0] for row in rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    def read_by_user(self, *, after_user: str, after: int, up_to: int) -> Iterator[tuple[str, list[Interaction]]]:
        """Yield users with their events in pages of the index; a user's events are in memory at once."""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(_BY_USER, (after_user, after, up_to)).fetchall()
            users = [(user_id, list(group)) for user_id, group in groupby(rows, key=itemgetter(0))]
            if len(rows) == _PAGE:  # the last user may have more
                user_id, _ = users.pop()
                if not users:
                    events = [event for offset, event in self.read_user(user_id) if after < offset <= up_to]
                    yield user_id, events
                    after_user = user_id
            for user_id, group in users:
                yield user_id, [self._decode(offset, blob) for _, offset, blob in group]
                after_user = user_id
            if len(rows) < _PAGE:
                return

    def _pages(self, after: int, user_id: str | None) -> Iterator[tuple[int, Interaction]]:
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
        """Return the last offset assigned, also if its event was deleted since."""
        with self._database.read() as connection:
            return self._last(connection)

    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        """Delete a user's events and their bytes."""
        with self._database.deletion(user_id) as connection:
            count = connection.execute(
                "DELETE FROM events WHERE user_id = ? AND offset <= ?", (user_id, _LAST if up_to is None else up_to)
            ).rowcount
        self._database.erase_deleted()
        return int(count)

    def skip_to(self, offset: int) -> None:
        """Move the table's sequence forward."""
        with self._database.write() as connection:
            self._skip_to(connection, offset)

    def check(self) -> None:
        """Check that the log can be written."""
        self._database.check()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @staticmethod
    def _last(connection: sqlite3.Connection) -> int:
        row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(row[0]) if row else 0

    @staticmethod
    def _skip_to(connection: sqlite3.Connection, offset: int) -> None:
        moved = connection.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'events'", (offset,)
        ).rowcount
        if not moved:
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (offset,))

    def _decode(self, offset: int, blob: bytes) -> Interaction:
        try:
            return self._decoder.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"event {offset} in {self._database.path} cannot be read: {error}",
                hint="the file is damaged: move it away and restore a copy",
            ) from error


def _all_new(connection: sqlite3.Connection, rows: Sequence[_Row], first: int) -> list[int | None] | None:
    """Insert rows none of which was there, as nearly always, in one call from the offset ``first`` on; else nothing."""
    connection.execute("SAVEPOINT all_new")
    try:
        connection.executemany(
            "INSERT INTO events (offset, user_id, event_id, event) VALUES (?, ?, ?, ?)",
            [(offset, *row) for offset, row in enumerate(rows, first)],
        )
    except sqlite3.IntegrityError:
        connection.execute("ROLLBACK TO all_new")
        connection.execute("RELEASE all_new")
        return None
    # any other error took the whole transaction back, and the savepoint with it
    connection.execute("RELEASE all_new")
    return list(range(first, first + len(rows)))


def _one_by_one(connection: sqlite3.Connection, rows: Sequence[_Row]) -> list[int | None]:
    """Insert the rows that were not there yet."""
    offsets: list[int | None] = []
    for row in rows:
        done = connection.execute(
            "INSERT INTO events (user_id, event_id, event) VALUES (?, ?, ?) ON CONFLICT (user_id, event_id) DO NOTHING",
            row,
        )
        offsets.append(done.lastrowid if done.rowcount else None)
    return offsets
