"""Parse dates of anime catalogues to ISO 8601, with the precision of the text."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

import msgspec

Precision = Literal["day", "month", "season", "year"]

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_SEASONS = {"winter": 1, "spring": 4, "summer": 7, "fall": 10, "autumn": 10}
"""Season → its first month; a winter is that of the year's start."""
_NOTHING = frozenset({"", "?", "n/a", "unknown", "none", "not available", "not yet aired", "to be announced"})
_YEARS = range(1900, 2100)
_TO = re.compile(r"\s+(?:to|-|–|until)\s+|\s*/\s*(?=\d{4}|\.\.|$)", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.?\s+(?:(\d{1,2})(?:st|nd|rd|th)?,?\s+)?(\d{4})", re.IGNORECASE)
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\s+([a-z]{3,9})\.?,?\s+(\d{4})", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_SEASON_OF = re.compile(r"(winter|spring|summer|fall|autumn)\s+(\d{4})", re.IGNORECASE)


class PartialDate(msgspec.Struct, frozen=True):
    """A day, a month, a season or a year. A season has the month it begins in."""

    year: int
    month: int | None = None
    day: int | None = None
    precision: Precision = "day"

    def iso(self) -> str:
        """Return ``1998-04-03``, ``1998-04`` or ``1998``."""
        parts = (f"{self.year:04}", *(f"{part:02}" for part in (self.month, self.day) if part is not None))
        return "-".join(parts)

    def full(self) -> date | None:
        """Return the date, or ``None`` if month or day is missing."""
        return None if self.month is None or self.day is None else date(self.year, self.month, self.day)


class Aired(msgspec.Struct, frozen=True):
    """Airing interval of an anime. ``end`` is ``None`` if missing; ``open`` is true if the text gives it as unknown."""

    start: PartialDate | None = None
    end: PartialDate | None = None
    open: bool = False


def parse_aired(text: str | None) -> Aired:
    """Parse ``Apr 3, 1998 to Apr 24, 1999``, ``Apr 2003 to ?``, ``2001``, ``Fall 2001``, ISO 8601 days and intervals.

    Placeholders such as "Not available" give an empty ``Aired``.

    Raises:
        ValueError: the text is none of these, a day does not exist, or the end is before the start.
    """
    first, *rest = _TO.split(" ".join((text or "").split()), maxsplit=1)
    start = parse_date(first)
    end = parse_date("" if rest and rest[0] == ".." else rest[0]) if rest else None
    if start and end and _is_before(end, start):
        raise ValueError(f"{text!r} ends before it starts")
    return Aired(start, end, bool(rest) and end is None)


def parse_date(text: str | None) -> PartialDate | None:
    """Parse one date; ``None`` for a placeholder. Raises ``ValueError`` for other text."""
    stripped = " ".join((text or "").split())
    if stripped.lower() in _NOTHING:
        return None
    if match := _ISO.fullmatch(stripped):
        return _checked(match[1], match[2], match[3], stripped)
    if match := _SEASON_OF.fullmatch(stripped):
        return _checked(match[2], str(_SEASONS[match[1].lower()]), None, stripped, "season")
    if match := _MONTH_FIRST.fullmatch(stripped):
        return _checked(match[3], _month(match[1]), match[2], stripped)
    if match := _DAY_FIRST.fullmatch(stripped):
        return _checked(match[3], _month(match[2]), match[1], stripped)
    raise ValueError(f"{stripped!r} is not a date")


def _month(name: str) -> str:
    return str(_MONTHS.get(name[:3].lower(), 0))


def _checked(
    year: str, month: str | None, day: str | None, stripped: str, precision: Precision | None = None
) -> PartialDate:
    found = PartialDate(
        int(year),
        int(month) if month else None,
        int(day) if day else None,
        precision or ("day" if day else "month" if month else "year"),
    )
    try:
        date(found.year, 1 if found.month is None else found.month, 1 if found.day is None else found.day)
    except ValueError as error:
        raise ValueError(f"{stripped!r} is not a date: {error}") from error
    if found.year not in _YEARS:
        raise ValueError(f"{stripped!r} is not a date of this century or the last")
    return found


def _is_before(end: PartialDate, start: PartialDate) -> bool:
    """Return true if an end is before a start, compared at the coarser precision of the two."""
    for mine, theirs in ((end.year, start.year), (end.month, start.month), (end.day, start.day)):
        if mine is None or theirs is None or end.precision == "season":
            return mine is not None and theirs is not None and end.year < start.year
        if mine != theirs:
            return mine < theirs
    return False
