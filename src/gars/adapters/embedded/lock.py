"""One process a folder: the caches of a second one would not see the writes of the first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gars.domain.errors import StorageError

try:
    import fcntl
except ImportError:  # pragma: no cover  # not on Windows, where SQLite's own locks must do
    fcntl = None  # type: ignore[assignment]


@contextmanager
def folder_lock(folder: Path, *, who: str = "gars serve") -> Iterator[None]:
    """Hold the folder until the block ends; the operating system lets go of it if the process dies.

    Raises:
        StorageError: another process holds it, or the folder cannot be written.
    """
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = path.open("a+")
    except OSError as error:
        raise StorageError(f"cannot write in {folder}: {error}", hint="check its owner and permissions") from error
    with handle:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                handle.seek(0)
                raise StorageError(
                    f"another {who} (process {handle.read().strip() or 'unknown'}) uses {folder}",
                    hint="stop it, or give this one a folder of its own: --home DIR",
                ) from None
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
        yield
