"""Detect damaged SQLite files: by a check of every page after the start, and by the errors of SQLite in use.

Once a file is known to be damaged, writes to it are refused: new rows in a damaged B-tree may be lost, or overwrite
intact ones. Reads go on, since pages that are not damaged are still right. ``PRAGMA quick_check`` finds damaged pages
and rows; SQLite keeps no checksums, so other bytes inside a value are found when the value is decoded.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

CHECKED_AT_ONCE = 8 << 20
"""Bytes of a file that is checked before ``FileChecks`` returns; larger ones are checked in a thread (50 MB/s)."""
_MOST_PROBLEMS = 3
_STEPS_PER_LOOK = 10_000
"""Instructions of SQLite's machine between two looks whether the check must let go of the file."""
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_known: dict[Path, FileHealth] = {}
_known_lock = threading.Lock()


class FileHealth:
    """The condition of one SQLite file, shared by everything in this process that uses the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage: str | None = None
        """The problems found, or ``None``. Kept until everything in this process has closed the file."""
        self.users = 0
        """Number of objects in this process that use the file."""
        self.unerased: set[str] = set()
        """Ids of deleted users whose bytes may still be in the file (``Database.erase_deleted``)."""
        self.rewrite_due = False
        """True if the file holds bytes of deleted rows that only rewriting it removes."""
        self._free = threading.Condition()
        self._erasing = 0

    def note(self, error: BaseException) -> None:
        """Record damage if an error of SQLite reports some."""
        if getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
            self._record(str(error))

    def check(self, stop: threading.Event) -> None:
        """Check every page until ``stop``; starts again after ``without_check``.

        A file that cannot be opened or read is no damage.
        """
        while not stop.is_set():
            with self._free:
                self._free.wait_for(lambda: not self._erasing)
            try:
                self._quick_check(stop)
                return
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
                    logger.warning("%s could not be checked for damage: %s", self.path, error)
                    return
            except sqlite3.DatabaseError as error:
                self._record(str(error))
                return

    @contextmanager
    def without_check(self) -> Iterator[None]:
        """Interrupt a running check until the block ends: its snapshot keeps the write-ahead log from being emptied."""
        with self._free:
            self._erasing += 1
        try:
            yield
        finally:
            with self._free:
                self._erasing -= 1
                self._free.notify_all()

    def _quick_check(self, stop: threading.Event) -> None:
        found = problems_of(self.path, interrupt=lambda: stop.is_set() or self._erasing > 0)
        if found:
            self._record("; ".join(found))

    def _record(self, damage: str) -> None:
        if self.damage is None:
            self.damage = damage
            logger.error("%s is damaged, so writes to it are refused: %s", self.path, damage)


def problems_of(path: Path, *, interrupt: Callable[[], bool] = lambda: False) -> list[str]:
    """Check every page of a file. → the problems, empty for an intact file

    Raises:
        sqlite3.Error: the file cannot be opened or read as a database, or ``interrupt`` returned true.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.set_progress_handler(interrupt, _STEPS_PER_LOOK)
        rows = connection.execute(f"PRAGMA quick_check({_MOST_PROBLEMS})").fetchall()
    found = [str(row[0]).replace("\n", " ") for row in rows]
    return [] if found == ["ok"] else found


def use(path: Path) -> FileHealth:
    """Return the health of a file, one object for all users of the file until they call ``release``."""
    with _known_lock:
        health = _known.setdefault(path.resolve(), FileHealth(path))
        health.users += 1
        return health


def release(health: FileHealth) -> None:
    """Count one user less; after the last one the file's health is discarded."""
    with _known_lock:
        health.users -= 1
        if not health.users:
            _known.pop(health.path.resolve(), None)


class FileChecks:
    """Checks of some SQLite files: small ones at once, the others one after another in a thread."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._stop = threading.Event()
        self._files = {name: use(path) for name, path in files.items() if path.exists()}
        large: list[FileHealth] = []
        for health in dict.fromkeys(self._files.values()):
            if health.path.stat().st_size <= CHECKED_AT_ONCE:
                health.check(self._stop)
            else:
                large.append(health)
        self._thread = threading.Thread(target=self._check, args=(large,), name="gars-file-checks", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the checks in the thread. → whether they are done"""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def problems(self) -> dict[str, str]:
        """Return the damage of each damaged file, by the name it was registered under."""
        return {
            name: f"{health.path} is damaged, writes to it are refused: {health.damage}"
            for name, health in self._files.items()
            if health.damage is not None
        }

    def close(self) -> None:
        """End the checks; a second call does nothing."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join()
        for health in self._files.values():
            release(health)

    def _check(self, files: list[FileHealth]) -> None:
        for health in files:
            health.check(self._stop)
