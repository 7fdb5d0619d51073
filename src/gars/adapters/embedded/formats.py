"""The format of the SQLite files GARS writes: its number is their ``PRAGMA user_version``, and older ones are upgraded.

One number counts for all files, because several stores may share one. An upgrade is one transaction: a crash leaves
the file as it was. No copy of the old file is kept: it would keep the events of users who are deleted later.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from gars.adapters.embedded import user_hashes
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

ERASURE_DUE = """
CREATE TABLE IF NOT EXISTS erasure_due (id INTEGER PRIMARY KEY CHECK (id = 1))
"""
"""A row in it: deleted rows may still have bytes in the file or its write-ahead log."""


def upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables of a file to the newest format; a new file gets its number only.

    Raises:
        StorageError: a newer version of GARS wrote the file.
    """
    if _version(connection, path) == FORMAT:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        before = _version(connection, path)  # another process may have been faster
        for step in _STEPS[before:]:
            step(connection, path)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise StorageError(
            f"{path} has format {version}; this version of GARS reads formats up to {FORMAT}",
            hint="a newer GARS wrote it: install that version again, or restore a backup from before it",
        )
    return int(version)


def _key_by_user(connection: sqlite3.Connection, path: Path) -> None:
    """Format 1: event ids are unique for each user, hashes of deleted users are keyed, their key is outside."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "events" in tables:
        _rebuild_events(connection, path)
    if "hash_key" in tables:
        (key,) = connection.execute("SELECT key FROM hash_key").fetchone() or (None,)
        if key is not None:
            user_hashes.keep_key(path, key)
        connection.execute("DROP TABLE hash_key")
    if "forgotten" in tables:
        key = user_hashes.open_key(connection, path, required=False)
        hashes = [row[0] for row in connection.execute("SELECT user_hash FROM forgotten")]
        connection.execute("DELETE FROM forgotten")
        connection.executemany("INSERT INTO forgotten VALUES (?)", [(user_hashes.wrapped(one, key),) for one in hashes])
    if tables & {"events", "hash_key", "forgotten"}:
        connection.execute(ERASURE_DUE)
        connection.execute("INSERT OR IGNORE INTO erasure_due VALUES (1)")


def _rebuild_events(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the log into a table without the old constraint; SQLite cannot drop one."""
    (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
    if count:
        logger.warning("upgrading %d event(s) in %s", count, path)
    (newest,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone() or (0,)
    connection.execute("ALTER TABLE events RENAME TO events_before")
    connection.execute(EVENTS)
    connection.execute("INSERT INTO events SELECT offset, user_id, event_id, event FROM events_before ORDER BY offset")
    connection.execute("DROP TABLE events_before")
    # offsets of deleted events are not given out again
    connection.execute("DELETE FROM sqlite_sequence WHERE name IN ('events', 'events_before')")
    connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (newest,))


EVENTS = """
CREATE TABLE IF NOT EXISTS events (
  offset INTEGER PRIMARY KEY AUTOINCREMENT,  -- AUTOINCREMENT: an offset is never used twice, not even after forget
  user_id TEXT NOT NULL,
  event_id TEXT NOT NULL,                    -- unique among the events of a user (events_by_id)
  event BLOB NOT NULL                        -- the Interaction as MessagePack
)
"""


def _allow_columns(_connection: sqlite3.Connection, _path: Path) -> None:
    """Format 2: states may be columns (``state_codec``), which older versions cannot read. A state is rewritten when
    it changes.
    """


_STEPS: tuple[Callable[[sqlite3.Connection, Path], None], ...] = (_key_by_user, _allow_columns)
FORMAT = len(_STEPS)
"""The newest format."""
