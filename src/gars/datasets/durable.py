"""Write files and folders atomically and durably."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from gars.datasets.ownership import IsOurs, WrittenNames, refuse_foreign_file, refuse_foreign_folder
from gars.domain.errors import StorageError

CHUNK = 1 << 20
_UNFINISHED = ".unfinished-"
_RETIRED = ".retired"
_LEFTOVER = re.compile(r"(\d+)\.(?:unfinished-[a-z0-9_]{8}|retired)")
"""Rest of the name of a folder that ``scratch_folder`` or ``whole_folder`` leaves when its process is killed."""


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


def write_whole(path: Path, content: bytes, *, mode: int = 0o644, is_ours: IsOurs | None = None) -> None:
    """Write a file so that a reader sees the old bytes or all the new ones.

    Where a user names ``path``, give ``is_ours``: a file that it does not recognise raises ``InvalidInputError``.
    """
    if is_ours is not None:
        refuse_foreign_file(path, is_ours)
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
def whole_file(target: Path, *, is_ours: IsOurs | None = None) -> Iterator[IO[bytes]]:
    """Yield a file to write that becomes ``target`` when the block ends well, and vanishes when it does not.

    Where a user names ``target``, give ``is_ours``: a file that it does not recognise raises ``InvalidInputError``.
    """
    if is_ours is not None:
        refuse_foreign_file(target, is_ours)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    unfinished = Path(name)
    try:
        with disk_errors(target), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(0o644)
        if is_ours is not None:
            refuse_foreign_file(target, is_ours)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    fsync_path(target.parent)


@contextmanager
def whole_folder(target: Path, *, written_names: WrittenNames | None = None) -> Iterator[Path]:
    """Yield an empty folder that becomes ``target`` when the block succeeds, and is removed when it fails.

    An existing ``target`` is replaced as the last step and unchanged until then. Leftovers of killed processes
    are removed first. Where ``target`` may hold files of a user, give ``written_names``: a folder
    with anything else in it raises ``InvalidInputError``.
    """
    target = target.absolute()
    if written_names is not None:
        refuse_foreign_folder(target, written_names)
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(target)
    with disk_errors(target), scratch_folder(target) as unfinished:
        yield unfinished
        for path in sorted(unfinished.rglob("*"), reverse=True):
            fsync_path(path)
        fsync_path(unfinished)
        unfinished.chmod(0o755)
        if written_names is not None:  # files may have come in the meantime
            refuse_foreign_folder(target, written_names)
        _swap_in(unfinished, target)


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder in the parent of ``target``, removed after the block; its name has the process id."""
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.{os.getpid()}{_UNFINISHED}", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_leftovers(target: Path) -> None:
    """Remove temporary folders of dead processes next to ``target``; restore a folder retired by an unfinished swap."""
    for folder in target.parent.glob(f".{target.name}.*"):
        left = _LEFTOVER.fullmatch(folder.name.removeprefix(f".{target.name}."))
        if left is None or not folder.is_dir() or _runs(int(left[1])):
            continue
        if folder.name.endswith(_RETIRED) and not target.exists():
            folder.rename(target)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _swap_in(finished: Path, target: Path) -> None:
    """Replace one folder by another with two renames, because a folder cannot replace one that is not empty."""
    retired = finished.with_name(f".{target.name}.{os.getpid()}{_RETIRED}")
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
    """Convert a disk-full error to a ``StorageError`` with path and hint."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        # Polars' errors have the system's words and no number.
        words = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(word in str(error) for word in words):
            raise disk_full(where) from error
        raise


def disk_full(where: Path) -> StorageError:
    """Return the error for a full disk at ``where``."""
    return StorageError(
        f"the disk is full: could not write {where}", hint="free some space, or choose another folder with --home DIR"
    )
