"""Parse times of sites and programs to milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

EARLIEST_MS = 631_152_000_000
"""1990-01-01: what is before it is another unit or an empty field."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01: what is after it is another unit."""
NONE_WORDS = frozenset({"", "0", "0.0", "-", "nan", "nat", "none", "null", "\\n", "<na>", "0000-00-00", "n/a"})
"""Words for "no time", in lower case."""

UNITS = ((1e11, 1000.0), (1e14, 1.0), (1e17, 1e-3), (1e20, 1e-6))
"""Numbers below the first figure times the second are milliseconds: seconds, milli-, micro- and nanoseconds."""

_NUMBER = re.compile(r"\d{1,20}(?:\.\d*)?(?:e\+?\d{1,2})?", re.IGNORECASE)
_PARTIAL = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")
_ZONE_WORD = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)


def is_missing(text: str) -> bool:
    """Return true if a cell has a placeholder for a missing time."""
    return text.strip().casefold() in NONE_WORDS


def number_ms(value: float) -> int | None:
    """Convert a unix time in seconds, milli-, micro- or nanoseconds (inferred from its size) to milliseconds.

    ``None`` for anything outside 1990 to 2100.
    """
    if value <= 0:
        return None
    factor = next((factor for below, factor in UNITS if value < below), None)
    if factor is None:
        return None
    # whole numbers keep every digit; a float of nanoseconds has none to lose that matter
    if isinstance(value, int):
        found = value * 1000 if factor == 1000 else value // round(1 / factor)
    else:
        found = int(value * factor)
    return found if EARLIEST_MS <= found < LATEST_MS else None


def text_ms(text: str) -> int | None:
    """Milliseconds of a unix time in digits or an ISO 8601 time or date; without a zone it is UTC.

    A day or month of 0, and one that is missing, is the first. ``None`` if it is no such time.
    """
    stripped = text.strip()
    if not stripped.isascii() or len(stripped) > 60:
        return None
    if _NUMBER.fullmatch(stripped) and not _is_year(stripped):
        return number_ms(int(stripped) if stripped.isdecimal() else float(stripped))
    if found := _PARTIAL.fullmatch(stripped):
        return date_ms(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    try:
        moment = datetime.fromisoformat(_ZONE_WORD.sub("+00:00", stripped.replace("/", "-")))
        return _checked((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def date_ms(year: object, month: object, day: object) -> int | None:
    """Midnight UTC of a date that may lack its month or day; ``None`` without a year that can be one."""
    numbers = [part if isinstance(part, int) and not isinstance(part, bool) else 0 for part in (year, month, day)]
    try:
        found = date(numbers[0], numbers[1] or 1, numbers[2] or 1)
    except (ValueError, OverflowError):
        return None
    return _checked(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isdecimal()


def _checked(ms: float) -> int | None:
    found = round(ms)
    return found if 0 < found < LATEST_MS else None


def any_ms(value: object) -> int | None:
    """Milliseconds of a unix time as number or digits, or of an ISO 8601 time; ``None`` for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return number_ms(value) if value == value else None
    return text_ms(value) if isinstance(value, str) else None
