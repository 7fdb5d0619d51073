"""A file with the key of an installation, readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path

from gars.domain.errors import StorageError

BYTES = 32


def read(path: Path, *, length: int | None = BYTES) -> bytes | None:
    """Return the key, ``None`` if there is no file. ``length`` is in bytes, ``None`` for any.

    Raises:
        StorageError: it cannot be read, or is no key.
    """
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"the key {path} cannot be read: {error.strerror}", hint="check its owner") from error
    if length is not None and len(key) != length:
        raise StorageError(f"{path} is no key: it has {len(key)} bytes, not {length}", hint="put a backup of it back")
    return key


def make(path: Path, key: bytes) -> bytes:
    """Write a key durably unless another process was faster. → the key that the file holds now.

    Raises:
        StorageError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(unfinished, path)  # unlike a rename it does not replace a file
            except FileExistsError:
                pass
            except OSError:  # a file system without hard links
                if not path.exists():
                    unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StorageError(
            f"the key {path} cannot be written: {error.strerror}", hint="check the owner and the space of its folder"
        ) from error
    return read(path, length=len(key)) or key
