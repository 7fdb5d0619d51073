"""SQLite file for a log or a store: WAL, one writer, many readers."""

from __future__ import annotations

import logging
import mmap
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gars.adapters.embedded import formats, integrity, user_hashes
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

Synchronous = Literal["FULL", "NORMAL"]

REWRITE_AT_ONCE = 256 << 20
"""Bytes of a file that is rewritten while requests wait; a larger one is rewritten at the next start."""
RETRY_S = 60.0
"""Seconds until an erasure that failed is tried again."""
_PATIENCE_S = 0.5
"""Seconds an erasure waits for readers of the write-ahead log."""
_TABLES_OF_USERS = """
SELECT t.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND c.name = 'user_id'
"""
_LARGE_PAGE = 16 << 10
_INCREMENTAL = 2
_MOST_GIVEN_BACK = 16 << 10
"""Pages freed in one transaction."""
_TELLING = 6
"""Bytes of an id that is searched for as it is; a shorter one only where a record could hold it."""


class Database:
    """Connections to one file. Writes go through ``write()``, one at a time; each thread reads on its own connection.

    ``synchronous="FULL"`` syncs the disk on every commit. With ``"NORMAL"`` a commit survives the death of the
    process, and a dead machine loses at most the newest commits, in order. A damaged file is read but not written
    (``integrity``). With ``returns_space`` pages of deleted rows can be given back (``give_back``), and pages are of
    16 kB: fewer bytes are left over at their ends.
    """

    def __init__(
        self,
        path: Path,
        schema: Sequence[str],
        *,
        synchronous: Synchronous = "FULL",
        busy_timeout_s: float = 5.0,
        returns_space: bool = False,
    ) -> None:
        self.path = path
        self._health = integrity.use(path)
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._retry: threading.Timer | None = None
        self._returns_space = returns_space
        with self._explained("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            try:
                self._prepare(schema, synchronous)
            except BaseException:
                self._writer.close()
                integrity.release(self._health)
                raise

    def _prepare(self, schema: Sequence[str], synchronous: Synchronous) -> None:
        """Upgrade an older file, create missing tables, finish an interrupted erasure."""
        self._writer.execute("PRAGMA secure_delete=ON")  # deleted rows are overwritten
        self._writer.execute(f"PRAGMA synchronous={synchronous}")
        if self._returns_space and self._writer.execute("PRAGMA page_count").fetchone() == (0,):
            self._writer.execute(f"PRAGMA page_size={_LARGE_PAGE}")
            self._writer.execute("PRAGMA auto_vacuum=INCREMENTAL")
        formats.upgrade(self._writer, self.path)
        if self._returns_space:
            self._prepare_to_give_back()
        self._writer.execute("PRAGMA journal_mode=WAL")
        for statement in (formats.ERASURE_DUE, *schema):
            self._writer.execute(statement)
        if self._is_erasure_due():
            # which ids were deleted is not known any more
            self._health.rewrite_due = True
            try:
                self._erase(at_start=True)
            except (StorageError, sqlite3.Error) as error:
                # serving is worth more than the space; the mark stays
                self._health.note(error)
                logger.warning("%s still holds bytes of deleted rows; it could not be rewritten: %s", self.path, error)
                self._retry_later()

    def open_key(self, *, required: str | None = None) -> bytes:
        """Return the key of hashes in this file, which ``user_hashes`` makes at the first call; also of a damaged file.

        ``required`` is a table: while it has rows the key they were made with must be there.
        """
        with self._lock, self._explained("open"), self._transaction() as connection:
            has_rows = required is not None and connection.execute(f"SELECT 1 FROM {required} LIMIT 1").fetchone()
            return user_hashes.open_key(connection, self.path, required=bool(has_rows))

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction, committed at the end of the block, rolled back if it raises."""
        with self._lock, self._explained("write"):
            self._refuse_closed()
            self._refuse_damaged()
            with self._transaction() as connection:
                yield connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
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
        """Yield this thread's connection for reading; it sees every commit."""
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

    @contextmanager
    def deletion(self, user_id: str) -> Iterator[sqlite3.Connection]:
        """Open a transaction that deletes rows of a user; ``erase_deleted`` then erases their bytes."""
        unerased = self._health.unerased
        was_unerased = user_id in unerased
        unerased.add(user_id)  # before the transaction: until it is erased no other connection may remove the mark
        is_changed = False
        try:
            with self.write() as connection:
                before = connection.total_changes
                yield connection
                if connection.total_changes > before:
                    connection.execute("INSERT OR IGNORE INTO erasure_due VALUES (1)")
                    is_changed = True
        except BaseException:
            is_changed = False
            raise
        finally:
            if not is_changed and not was_unerased:
                unerased.discard(user_id)

    def erase_deleted(self) -> None:
        """Make sure that no byte of deleted rows is left in the file or its write-ahead log.

        SQLite overwrites deleted rows. Copies of index entries that it left in unused parts of pages when it split
        them are not rows any more and stay: if an id is still found the whole file is rewritten. A file larger than
        ``REWRITE_AT_ONCE`` is rewritten at the next start.

        The rows are deleted durably before, so a failure is logged and not raised. A mark in the file stays: the
        erasure is tried again with the next deletion, after ``RETRY_S`` and at the next start.
        """
        try:
            with self._lock, self._explained("write"), self._health.without_check():
                self._refuse_closed()
                with self._short_patience():
                    self._erase()
        except StorageError as error:
            logger.warning(
                "%s still holds bytes of deleted rows; they will be erased later: %s", self.path, error.message
            )
            self._retry_later()

    def used_bytes(self) -> int:
        """Return the bytes of all pages that hold something."""
        with self.read() as connection:
            (size, pages, free) = connection.execute(
                "SELECT page_size, page_count, freelist_count "
                "FROM pragma_page_size, pragma_page_count, pragma_freelist_count"
            ).fetchone()
        return int(size * (pages - free))

    def give_back(self) -> None:
        """Free the pages at the end of the file, so that the file system has their space again."""
        with self._lock, self._explained("write"):
            self._refuse_closed()
            self._refuse_damaged()
            (free,) = self._writer.execute("PRAGMA freelist_count").fetchone()
            if not free or self._writer.execute("PRAGMA auto_vacuum").fetchone() != (_INCREMENTAL,):
                return
            # it takes a step a page, and ``execute`` makes only the first step of a statement without columns
            self._writer.executescript(f"PRAGMA incremental_vacuum({_MOST_GIVEN_BACK})")
            # a reader keeps the file as it is; the next call cuts it
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _prepare_to_give_back(self) -> None:
        """Rewrite an older file so that its space can be given back, unless it is large."""
        is_ready = self._writer.execute("PRAGMA auto_vacuum").fetchone() == (_INCREMENTAL,)
        if is_ready or self.path.stat().st_size > REWRITE_AT_ONCE:
            return
        try:
            self._writer.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._writer.execute("VACUUM")
        except sqlite3.Error as error:
            self._health.note(error)
            logger.warning("%s could not be rewritten; it keeps its size when rows are deleted: %s", self.path, error)

    def _is_erasure_due(self) -> bool:
        return self._writer.execute("SELECT 1 FROM erasure_due").fetchone() is not None

    def _erase(self, *, at_start: bool = False) -> None:
        """Empty the write-ahead log, rewrite the file if it must be, then remove the mark."""
        if not self._is_erasure_due():
            return
        health = self._health
        self._empty_log()
        # rows of another store in the same file are deleted later: such a user stays marked until then
        gone = [user_id for user_id in sorted(health.unerased) if not self._has_rows(user_id)]
        if health.rewrite_due or (gone and _holds(self.path, gone)):
            health.rewrite_due = True
            if not at_start and self.path.stat().st_size > REWRITE_AT_ONCE:
                logger.warning("%s is large: the next start rewrites it without what was deleted", self.path)
                return
            self._writer.execute("VACUUM")
            self._empty_log()
            health.rewrite_due = False
        with self._transaction() as connection:
            health.unerased.difference_update(gone)
            if not health.unerased:
                connection.execute("DELETE FROM erasure_due")

    def _has_rows(self, user_id: str) -> bool:
        tables = self._writer.execute(_TABLES_OF_USERS).fetchall()
        return any(
            self._writer.execute(f'SELECT 1 FROM "{name}" WHERE user_id = ? LIMIT 1', (user_id,)).fetchone()
            for (name,) in tables
        )

    def _empty_log(self) -> None:
        """Move the write-ahead log into the file and truncate it."""
        (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageError(
                f"deleted rows are still in the write-ahead log of {self.path}: another connection reads it",
                hint="nothing: it is tried again, also by the next start",
            )

    @contextmanager
    def _short_patience(self) -> Iterator[None]:
        """Wait for other connections only briefly: writers are blocked during the wait, and erasing can be repeated."""
        self._writer.execute(f"PRAGMA busy_timeout={round(1000 * min(_PATIENCE_S, self._busy_timeout_s))}")
        try:
            yield
        finally:
            self._writer.execute(f"PRAGMA busy_timeout={round(1000 * self._busy_timeout_s)}")

    def _retry_later(self) -> None:
        """Erase again after ``RETRY_S``, in a thread; a damaged file waits for the next start."""
        with self._lock:
            if self._closed or self._health.damage is not None or self._retry is not None:
                return
            self._retry = threading.Timer(RETRY_S, self._erase_again)
            self._retry.daemon = True
            self._retry.start()

    def _erase_again(self) -> None:
        with self._lock:
            self._retry = None
            if self._closed:
                return
        self.erase_deleted()

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        with self._lock:
            if not self._closed:
                integrity.release(self._health)
            self._closed = True
            if self._retry is not None:
                self._retry.cancel()
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
    """Return a hint for an error of SQLite."""
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


def _holds(path: Path, user_ids: Sequence[str]) -> bool:
    """Search the bytes of a file for ids; other rows may hold one too, as part of a longer one."""
    pattern = b"|".join(_pattern(user_id) for user_id in user_ids)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return re.search(pattern, content, re.DOTALL) is not None


def _pattern(user_id: str) -> bytes:
    text = user_id.encode()
    if len(text) >= _TELLING:
        return re.escape(text)
    # a record that holds it begins with the size of its header and the types of its columns
    return b"[\x03-\x09]\x00?" + re.escape(bytes([13 + 2 * len(text)])) + b".{1,6}" + re.escape(text)
