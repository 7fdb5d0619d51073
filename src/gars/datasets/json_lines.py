"""Journals of JSON lines: each append is durable, and a line torn by a crash is ignored.

Readers skip a torn last line, which was never acknowledged, and do not modify the file: another process may be
writing it. The next writer removes it. A line that is damaged anywhere else is reported.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from gars.datasets.durable import fsync_path

T = TypeVar("T")


class Damaged(NamedTuple):
    """An unreadable line: its number from 1, and the reason."""

    number: int
    why: str


class Lines(NamedTuple):
    """The whole lines of a journal."""

    content: list[bytes]
    size: int
    """Bytes of the file up to the end of the last whole line."""


def read_lines(path: Path) -> Lines:
    """Return the terminated lines of a journal, without empty ones; none if the file is missing."""
    if not path.is_file():
        return Lines([], 0)
    content = path.read_bytes()
    size = content.rfind(b"\n") + 1
    return Lines([line for line in content[:size].split(b"\n") if line.strip()], size)


def read_records(path: Path, kind: type[T]) -> tuple[list[T], list[Damaged]]:
    """Return the records of a journal, and its unreadable lines."""
    records: list[T] = []
    damaged: list[Damaged] = []
    for number, line in enumerate(read_lines(path).content, 1):
        try:
            records.append(msgspec.json.decode(line, type=kind))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            damaged.append(Damaged(number, str(error)))
    return records, damaged


def append_line(path: Path, line: bytes) -> None:
    """Append one line; it is durable when this returns. A torn line before it is removed.

    Raises:
        OSError: the line is not, or not wholly, in the file; the next call repairs that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    before = read_lines(path)
    with path.open("ab") as file:
        file.truncate(before.size)
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        fsync_path(path.parent)
