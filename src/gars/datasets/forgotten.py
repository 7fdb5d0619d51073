"""Users who asked to be deleted: their ids, so that no later snapshot and no later crawl brings them back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gars.datasets.durable import write_whole
from gars.domain.errors import DataError

FILE = "forgotten-users.txt"


def forgotten(home: Path) -> set[int]:
    """Read the ids on the deletion list; empty without a list. Raises ``DataError`` for a line that is no id."""
    path = home / FILE
    if not path.exists():
        return set()
    lines = path.read_text().splitlines()
    wrong = next((place for place, line in enumerate(lines, 1) if line and not line.isdecimal()), None)
    if wrong is not None:
        raise DataError(
            f"{path}: line {wrong} is not a user id: {lines[wrong - 1][:40]!r}", hint="one whole number a line"
        )
    return {int(line) for line in lines if line}


def forget(home: Path, user_ids: Iterable[int]) -> int:
    """Put users on the deletion list; returns how many were not on it. Asking twice is harmless."""
    known = forgotten(home)
    added = set(user_ids) - known
    if added:
        content = "".join(f"{user_id}\n" for user_id in sorted(known | added))
        write_whole(home / FILE, content.encode(), mode=0o600)
    return len(added)
