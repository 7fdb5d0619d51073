"""Copy SQLite files while other processes write to them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from gars.adapters.embedded.integrity import problems_of
from gars.domain.errors import StorageError

_MAGIC = b"SQLite format 3\x00"


def is_database(path: Path) -> bool:
    """Return whether a file begins as SQLite files do."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def copy_database(source: Path, target: Path) -> None:
    """Copy a consistent snapshot of a database, its write-ahead log included, to a new file; then check the copy.

    Other processes may read and write during the copy. The copy is one file, not in WAL mode.

    Raises:
        StorageError: the source is damaged, or one of the files cannot be read or written.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)  # all pages in one step: no write in between makes it start again
            writing.execute("PRAGMA journal_mode=DELETE")
        problems = problems_of(target)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"cannot copy {source} to {target}: {error}", hint="see whether the file is damaged: gars doctor"
        ) from error
    if problems:
        raise StorageError(
            f"{source} is damaged, so a copy of it is no backup: {'; '.join(problems)}",
            hint="keep the backups there are; docs/how-to/find-a-fault.md says what to do with a damaged file",
        )
