"""Files and folders that appear whole or not at all, and stay after a power cut."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from gars.domain.errors import StorageError

CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def fsync_path(path: Path) -> None:
    """Flush one file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old bytes or all the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(mode)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    fsync_path(path.parent)


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write that becomes ``target`` when the block ends well, and vanishes when it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    unfinished = Path(name)
    try:
        with disk_errors(target), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(0o644)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    fsync_path(target.parent)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``target`` when the block ends well, and vanishes when it does not.

    An existing ``target`` is replaced as the last step, so until then it stays untouched.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.unfinished-", dir=target.parent))
    try:
        with disk_errors(target):
            yield unfinished
            for path in sorted(unfinished.rglob("*"), reverse=True):
                fsync_path(path)
            fsync_path(unfinished)
            unfinished.chmod(0o755)
            _swap_in(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _swap_in(finished: Path, target: Path) -> None:
    """Put a folder in the place of another; two renames, because a folder cannot replace a full one."""
    retired = finished.with_name(f".{target.name}.retired-{finished.name[-8:]}")
    if target.exists():
        target.rename(retired)
    try:
        finished.rename(target)
    except OSError:
        if retired.exists():
            retired.rename(target)
        raise
    fsync_path(target.parent)
    shutil.rmtree(retired, ignore_errors=True)


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn a full disk into a ``StorageError`` that says where and what to do."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        # Polars' errors have the system's words and no number.
        words = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(word in str(error) for word in words):
            raise disk_full(where) from error
        raise


def disk_full(where: Path) -> StorageError:
    """The error for a disk with no room left at ``where``."""
    return StorageError(
        f"the disk is full: could not write {where}", hint="free some space, or choose another folder with --home DIR"
    )
