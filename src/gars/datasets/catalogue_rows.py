"""Read a catalogue file row by row: small files, so exact line numbers matter more than speed."""

from __future__ import annotations

import ast
import csv
import html
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from gars.datasets.identifiers import parse_id
from gars.datasets.names import split_names
from gars.datasets.problems import Problems
from gars.datasets.schema import CATALOGUE, TYPES, conform_catalogue
from gars.domain.errors import DataError

MISSING = frozenset({"", "unknown", "none", "nan", "null", "n/a", "none found", "add some", "not available", "?"})
_TYPES = {name.lower(): name for name in TYPES} | {"tv special": "Special", "tv_short": "TV", "web": "ONA"}
_DURATION = re.compile(
    r"(?:(\d+)\s*hr\.?)?\s*(?:(\d+)\s*min\.?)?\s*(?:(\d+)\s*sec\.?)?(?:\s*per ep\.?)?", re.IGNORECASE
)
_YEAR_DIGITS = 4
_NO_SYNOPSIS = ("no synopsis", "no description available")
_DATE_FORMATS = ("%Y-%m-%d", "%b %d, %Y", "%b %Y", "%Y")

csv.field_size_limit(1 << 24)


class Row:
    """One row of a catalogue file; each method reads one cell and counts what it cannot read.

    A missing cell, a word for "unknown", and a zero where zero means unknown all read as ``None``.
    """

    def __init__(self, cells: dict[str, str], line: int, problems: Problems) -> None:
        self.cells = cells
        self.line = line
        self.problems = problems

    def raw(self, column: str) -> str | None:
        """Return the cell with entities decoded and blanks stripped, ``None`` if empty."""
        return html.unescape(self.cells.get(column) or "").strip() or None

    def text(self, column: str) -> str | None:
        """Return the text of a cell; ``None`` for a word that means unknown, such as ``N/A``."""
        value = self.raw(column)
        return None if value is None or value.lower() in MISSING else value

    def number(self, column: str, *, maximum: float = float("inf")) -> float | None:
        """Return a number in (0, maximum], else ``None``. ``8,5`` is a decimal comma, ``1,234`` thousands."""
        value = self.text(column)
        if value is None:
            return None
        try:
            number = float(plain_number(value))
        except ValueError:
            self._bad(column, "is not a number", value)
            return None
        if not number <= maximum:
            self._bad(column, f"is above {maximum:g}", value)
            return None
        return number if number > 0 else None

    def whole(self, column: str) -> int | None:
        """Return a whole number above zero (``26`` or ``26.0``)."""
        number = self.number(column, maximum=2**53)
        if number is not None and number != int(number):
            self._bad(column, "is not a whole number", str(number))
            return None
        return None if number is None else int(number)

    def required(self, column: str, *, lowest: int = 1) -> int:
        """Return an id, a whole number from ``lowest``; record a fault if there is none."""
        value = self.raw(column) or ""
        number = parse_id(value)
        if number is None or number < lowest:
            self._bad(column, f"is not an id from {lowest}", value)
            return lowest - 1
        return number

    def names(self, column: str) -> list[str]:
        """Return a list in order, without repeats, in any form that ``split_names`` reads."""
        return [name for name in split_names(self.text(column) or "") if name.lower() not in MISSING]

    def kind(self, column: str) -> str | None:
        """Return the type of an anime (TV, Movie, OVA, Special, ONA, Music); ``None`` for any other word."""
        return _TYPES.get((self.text(column) or "").lower())

    def minutes(self, column: str) -> int | None:
        """Return a duration such as ``24 min. per ep.`` or ``1 hr. 31 min.`` in minutes, at least one."""
        value = self.text(column)
        match = _DURATION.fullmatch(value) if value else None
        if value is None or match is None:
            return None
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return max(1, hours * 60 + minutes) if hours or minutes or seconds else None

    def starts(self, column: str) -> tuple[date | None, int | None]:
        """Return first day and year of ``Apr 3, 1998 to …``, ``Apr 1998`` or ``1998``; the day only if given."""
        value = self.text(column)
        return first_day(value.split(" to ")[0]) if value else (None, None)

    def synopsis(self, column: str) -> str | None:
        """Return a synopsis; ``None`` for the sites' placeholder sentences."""
        value = self.text(column)
        return None if value is None or value.lower().startswith(_NO_SYNOPSIS) else value

    def last_year(self, column: str) -> int | None:
        """Return the year at the end of ``Spring 1998``."""
        word = (self.text(column) or "").rsplit(" ", 1)[-1]
        return int(word) if len(word) == _YEAR_DIGITS and word.isdecimal() else None

    def mapping(self, column: str) -> dict[str, Any]:
        """Parse a Python dict literal without executing it; empty if the cell is."""
        value = self.text(column)
        if value is None or value in ("[]", "{}"):
            return {}
        try:
            found = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self._bad(column, "is not a Python dict", value)
            return {}
        return found

    def _bad(self, column: str, what: str, value: str | None) -> None:
        self.problems.add(column, what, 1, [self.line - 2], [value])


def plain_number(text: str) -> str:
    """Return a number as Python reads it: ``8,5`` has a decimal comma, ``1,234`` and ``1,234.5`` have thousands."""
    whole, comma, rest = text.rpartition(",")
    if comma and "," not in whole and "." not in text and len(rest) != 3:
        return f"{whole}.{rest}"
    return text.replace(",", "")


def first_day(value: str) -> tuple[date | None, int | None]:
    """Parse a date that may lack its day or month: (date if complete, year)."""
    for form in _DATE_FORMATS:
        try:
            parsed = datetime.strptime(value.strip(), form)
        except ValueError:
            continue
        return (parsed.date() if "%d" in form else None), parsed.year
    return None, None


def read_catalogue_file(
    path: Path,
    anime: Callable[[Row], dict[str, Any]],
    *,
    delimiter: str = ",",
    header: tuple[str, ...] | None = None,
    encoding: str = "utf-8-sig",
) -> pl.DataFrame:
    """Read a file of one anime a row into the catalogue's schema.

    ``anime`` maps a row to catalogue columns; ``header`` names the columns of a file that has none. A repeated
    id keeps its last row. Raises ``DataError`` with every fault of the file.
    """
    problems = Problems(path)
    records: dict[int, dict[str, Any]] = {}
    for row in _rows(path, delimiter, header, encoding, problems):
        record = anime(row)
        if record["title"] is None:
            problems.add("title", "is empty", 1, [row.line - 2], [None])
        records[record["anime_id"]] = record
    problems.raise_if_any()
    schema = {name: kind for name, kind in CATALOGUE.items() if any(name in record for record in records.values())}
    return conform_catalogue(pl.DataFrame(list(records.values()), schema=schema, strict=False))


def _holds_rows(cells: list[str], names: tuple[str, ...], delimiter: str) -> bool:
    """Return true if a cell of several lines holds rows: a line with as many cells as the header, the first an id."""
    lines = (line.split(delimiter) for cell in cells if "\n" in cell for line in cell.splitlines()[1:])
    return len(names) > 1 and any(len(found) == len(names) and parse_id(found[0]) is not None for found in lines)


def _rows(
    path: Path, delimiter: str, header: tuple[str, ...] | None, encoding: str, problems: Problems
) -> Iterator[Row]:
    started = 1
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter in (",", ";", "|") else csv.QUOTE_NONE
    try:
        with path.open(encoding=encoding, newline="") as file:
            # The csv module splits at one character only, and MovieLens' old files at two colons.
            single = delimiter if len(delimiter) == 1 else "\x1f"
            lines = file if single == delimiter else (line.replace(delimiter, single) for line in file)
            reader = csv.reader(lines, delimiter=single, quoting=quoting, strict=True)
            names = header or tuple(name.strip() for name in next(reader, []))
            started = reader.line_num + 1
            for cells in reader:
                if reader.line_num > started and _holds_rows(cells, names, single):
                    raise csv.Error("the lines in it are rows")
                if cells and len(cells) != len(names):
                    what = f"the line has another number of cells than the header's {len(names)}"
                    problems.add("(all)", what, 1, [started - 2], [delimiter.join(cells)])
                elif cells:
                    yield Row(dict(zip(names, cells, strict=True)), started, problems)
                started = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}: line {started}: a quote is opened and not closed in this row ({error})",
            hint='close the quote or remove it; inside a cell it is written twice: ""',
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is not UTF-8 text (byte {error.start:,}: {error.reason})",
            hint="convert it first, for example: iconv -f latin1 -t utf-8 FILE",
        ) from error
