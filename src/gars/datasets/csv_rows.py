"""Split text into the rows of a table without swallowing rows at an unclosed quote."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gars.datasets.identifiers import parse_id
from gars.domain.errors import InvalidInputError

SEPARATORS = (",", "\t", ";", "|")
MAX_LINES_OF_A_CELL = 500
SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_HEADER_CHARACTERS = 1 << 16


@dataclass(frozen=True, slots=True)
class Header:
    """First line of a table. ``lines`` is how many lines it and a ``sep=`` line before it take."""

    names: tuple[str, ...]
    separator: str
    lines: int


def read_header(text: str) -> Header | None:
    """Find separator and column names; blank lines and Excel's ``sep=;`` before them are skipped.

    ``None`` if there is no line with anything in it.
    """
    stated = None
    for number, line in enumerate(text[:_HEADER_CHARACTERS].split("\n"), 1):
        if not line.strip():
            continue
        if stated is None and (found := SEP_LINE.fullmatch(line)):
            stated = found[1]
            continue
        separator = stated or max(SEPARATORS, key=line.count)
        names = next(csv.reader([line.strip("\r")], delimiter=separator), [])
        return Header(tuple(name.strip() for name in names), separator, number)
    return None


def read_rows(text: str, header: Header) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line of each row and its cells; rows without any content are left out.

    A cell may hold line breaks inside quotes. A quote inside an unquoted cell, or text after a closing quote, is part
    of the cell.

    Raises:
        InvalidInputError: a quote is never closed, or a quoted cell holds lines that are rows themselves.
    """
    lines = text.split("\n")
    place = header.lines
    while place < len(lines):
        line = lines[place]
        if '"' not in line:
            cells, after = line.rstrip("\r").split(header.separator), place + 1
        else:
            cells, after = _quoted_row(lines, place, header)
        if any(cell.strip() for cell in cells):
            yield place + 1, cells
        place = after


def _quoted_row(lines: list[str], place: int, header: Header) -> tuple[list[str], int]:
    pieces: list[str] = []
    for after in range(place, min(place + MAX_LINES_OF_A_CELL, len(lines))):
        pieces.append(lines[after])
        try:
            cells = next(csv.reader(_kept_ends(pieces), delimiter=header.separator, strict=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                continue
            if after == place and "expected after" in str(error):  # one line like 1,"The Best" Show,9
                return next(csv.reader(pieces, delimiter=header.separator)), place + 1
            break
        if _holds_rows(lines[place + 1 : after + 1], header):
            break
        return cells, after + 1
    raise InvalidInputError(
        f"line {place + 1}: a quote is opened and not closed in this row: {lines[place].strip()[:60]!r}",
        hint='close the quote or remove it; a quote inside a quoted cell is written twice: ""',
    )


def _kept_ends(pieces: list[str]) -> list[str]:
    return [f"{piece}\n" for piece in pieces[:-1]] + pieces[-1:]


def _holds_rows(lines: list[str], header: Header) -> bool:
    """Return true if lines inside a quoted cell look like rows: as many cells as the header, the first one an id."""
    if len(header.names) < 2:
        return False
    for line in lines[:-1] or lines:
        cells = line.split(header.separator)
        if len(cells) == len(header.names) and parse_id(cells[0].strip('"')) is not None:
            return True
    return False
