"""Collect the faults of a file: all are counted, the first five of each sort are kept as examples."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from gars.domain.errors import DataError

EXAMPLES = 5


class Problem(msgspec.Struct):
    """One sort of fault in one column: how often, and the first rows and values (row 0 is the first data row)."""

    column: str
    what: str
    count: int = 0
    rows: list[int] = msgspec.field(default_factory=list)
    values: list[str] = msgspec.field(default_factory=list)


class Problems:
    """Collects the faults of one file; ``raise_if_any`` turns them into one ``DataError``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[tuple[str, str], Problem] = {}

    def add(self, column: str, what: str, count: int, rows: Iterable[int], values: Iterable[str | None]) -> None:
        """Count ``count`` faults; ``rows`` and ``values`` are of as many of them as the caller cares to show."""
        problem = self.found.setdefault((column, what), Problem(column, what))
        problem.count += count
        room = EXAMPLES - len(problem.rows)
        problem.rows += list(rows)[:room]
        problem.values += ["" if value is None else value for value in values][:room]

    def rows(self) -> list[int]:
        """Return the rows kept as examples."""
        return [row for problem in self.found.values() for row in problem.rows]

    def raise_if_any(self, lines: dict[int, int] | None = None) -> None:
        """Raise ``DataError`` naming line, column, fault and count; ``lines`` maps row to line in the file."""
        if not self.found:
            return
        total = sum(problem.count for problem in self.found.values())
        text = [f"{self.path}: {total:,} bad value(s), nothing was written"]
        for problem in self.found.values():
            shown = ", ".join(
                f"line {lines.get(row, row + 2) if lines else row + 2}: {value[:40]!r}"
                for row, value in zip(problem.rows, problem.values, strict=True)
            )
            more = ", …" if problem.count > len(problem.rows) else ""
            text.append(f"  column {problem.column}: {problem.what} ({problem.count:,}×): {shown}{more}")
        raise DataError("\n".join(text), hint="mend or remove these lines, then run the same command again")
