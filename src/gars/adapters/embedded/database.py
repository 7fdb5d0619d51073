"""One SQLite file, opened the way a log and a store need it: WAL, one writer, many readers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gars.adapters.embedded import integrity
from gars.domain.errors import StorageError

Synchronous = Literal["FULL", "NORMAL"]


class Database:
    """Connections to one file. Writes go through ``write()``, one at a time; each thread reads on its own connection.

    ``synchronous="FULL"`` syncs the disk on every commit. With ``"NORMAL"`` a commit survives the death of the
    process, and a dead machine loses at most the newest commits, in order. A damaged file is read but not written
    (``integrity``).
    """

    def __init__(
        self, path: Path, schema: str, *, synchronous: Synchronous = "FULL", busy_timeout_s: float = 5.0
    ) -> None:
        self.path = path
        self._health = integrity.use(path)
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        with self._explained("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            self._writer.execute("PRAGMA journal_mode=WAL")
            self._writer.execute(f"PRAGMA synchronous={synchronous}")
            self._writer.execute("PRAGMA secure_delete=ON")  # a forgotten user leaves no bytes behind
            self._writer.executescript(schema)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        with self._lock, self._explained("write"):
            self._refuse_closed()
            self._refuse_damaged()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection for reading; it sees every commit."""
        with self._explained("read"):
            self._refuse_closed()
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
                connection.execute("PRAGMA query_only=ON")
                self._readers.append(connection)
            yield connection

    def check(self) -> None:
        """Write and commit one row, waiting less than a client would; raises ``StorageError``."""
        with self.write() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS heartbeat (id INTEGER PRIMARY KEY, beats INTEGER NOT NULL)")
            connection.execute("INSERT INTO heartbeat VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET beats = beats + 1")

    def erase_deleted(self) -> None:
        """Move the write-ahead log into the file and empty it, so that deleted rows are gone from both."""
        with self._lock, self._explained("write"), self._health.without_check():
            self._refuse_closed()
            (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageError(
                f"deleted rows are still in the write-ahead log of {self.path}: somebody reads it",
                hint="ask again; the next start does it too",
            )

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        with self._lock:
            if not self._closed:
                integrity.release(self._health)
            self._closed = True
            for connection in (self._writer, *self._readers):
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        # connections are closed by ``close`` in whatever thread it is called from
        return sqlite3.connect(self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageError(f"{self.path} is closed", hint="the service is stopping; try again when it is back")

    def _refuse_damaged(self) -> None:
        if self._health.damage is not None:
            raise StorageError(
                f"{self.path} is damaged, so nothing is written to it: {self._health.damage}", hint=_RESTORE
            )

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._health.note(error)
            raise StorageError(f"cannot {doing} {self.path}: {error}", hint=_hint(error)) from error


_RESTORE = "the file is damaged: stop the service, then move it away and restore a copy, or start empty without it"


def _hint(error: Exception) -> str:
    """What to do about a database that refuses."""
    match getattr(error, "sqlite_errorname", "").split("_")[1:2]:
        case ["FULL"]:
            return "the disk is full: free space; nothing that was acknowledged is lost"
        case ["BUSY"] | ["LOCKED"]:
            return "another process holds the database: stop it, or give this one its own GARS_HOME"
        case ["NOTADB"] | ["CORRUPT"]:
            return _RESTORE
        case ["READONLY"] | ["CANTOPEN"] | ["PERM"]:
            return "check the owner and the permissions of the folder GARS_HOME"
    return "check the disk under GARS_HOME; the service goes on when it answers again"
