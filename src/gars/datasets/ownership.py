"""Refuse to replace files and folders that GARS did not write.

A result of GARS is recognised by its content: a folder by its manifest and by the file names the manifest implies, a
file by its first bytes. Everything else belongs to the user.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec
import polars as pl

from gars.domain.errors import InvalidInputError

WrittenNames = Callable[[Path], Collection[str]]
"""Folder → relative POSIX names of the files an earlier result in it consists of; empty if there is no result."""
IsOurs = Callable[[Path], bool]
"""File, never empty → true if GARS wrote it."""

GENERATOR = b'<meta name="generator" content="GARS">'
"""Mark of the HTML reports that GARS writes."""
_HEAD_BYTES = 1 << 16
_SHOWN = 5


def refuse_foreign_folder(target: Path, written_names: WrittenNames) -> None:
    """Check that ``target`` is absent, empty, or holds nothing but an earlier result.

    Raises:
        InvalidInputError: it is a file or a link, the folder this process runs in, or holds a file that is not among
            ``written_names``.
    """
    if target.is_symlink():
        raise _refusal(target, "is a link", "give the folder that it points to")
    if not target.exists():
        return
    if not target.is_dir():
        raise _refusal(target, "is a file, not a folder", "choose another name, or remove the file yourself")
    here = Path.cwd()
    if target.resolve() in (here, *here.parents):
        raise _refusal(target, "is the folder you are in, or one above it", "give the name of a new folder")
    found = _entries(target)
    foreign = sorted(found - set(written_names(target))) if found else []
    if foreign:
        shown = ", ".join(foreign[:_SHOWN]) + (", …" if len(foreign) > _SHOWN else "")
        raise _refusal(
            target,
            f"holds {len(foreign):,} file(s) that GARS did not write ({shown})",
            "give the name of a new folder, or move these files out of it",
        )


def refuse_foreign_file(target: Path, is_ours: IsOurs) -> None:
    """Check that ``target`` is absent, empty, or a file that GARS wrote.

    Raises:
        InvalidInputError: it is a folder, or a file that ``is_ours`` does not recognise.
    """
    if not target.exists():
        return
    if not target.is_file():  # a device or a pipe cannot be replaced by a file either
        raise _refusal(target, "is not a regular file", "give the name of a new file")
    if target.stat().st_size and not is_ours(target):
        raise _refusal(
            target, "exists, and GARS did not write it", "choose another name, or remove the file yourself first"
        )


def head_of(path: Path) -> bytes:
    """Return the first 64 kB of a file."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def contains(mark: bytes) -> IsOurs:
    """Recognise a file by bytes in its first 64 kB."""
    return lambda path: mark in head_of(path)


def decodes_as(kind: type) -> IsOurs:
    """Recognise a JSON file that holds one value of a msgspec type."""

    def is_ours(path: Path) -> bool:
        try:
            msgspec.json.decode(path.read_bytes(), type=kind)
        except msgspec.DecodeError:
            return False
        return True

    return is_ours


def has_columns(columns: Sequence[str]) -> IsOurs:
    """Recognise a CSV, JSON lines or Parquet file by its ending and its exact columns, in order."""
    wanted = tuple(columns)

    def is_ours(path: Path) -> bool:
        if path.suffix == ".parquet":
            try:
                return tuple(pl.read_parquet_schema(path)) == wanted
            except pl.exceptions.PolarsError:
                return False
        first = head_of(path).split(b"\n", 1)[0]
        if path.suffix != ".jsonl":
            return first.strip() == ",".join(wanted).encode()
        try:
            return tuple(msgspec.json.decode(first, type=dict[str, object])) == wanted
        except msgspec.DecodeError:
            return False

    return is_ours


def never(_: Path) -> bool:
    """Recognise nothing: for files that carry no mark of their writer."""
    return False


def _entries(folder: Path) -> set[str]:
    """Relative names of all files, links and empty folders below ``folder``."""
    found: set[str] = set()
    for root, folders, files in os.walk(folder):
        base = Path(root)
        links = [name for name in folders if (base / name).is_symlink()]
        found.update((base / name).relative_to(folder).as_posix() for name in (*files, *links))
        if base != folder and not folders and not files:
            found.add(f"{base.relative_to(folder).as_posix()}/")
    return found


def _refusal(target: Path, why: str, hint: str) -> InvalidInputError:
    return InvalidInputError(f"{target} {why}: nothing was written", hint=hint)
