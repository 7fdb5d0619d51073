"""Which anime to ask for: ids as a person writes them, and how old a record may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from gars.domain.errors import InvalidInputError

_AGE = re.compile(r"(\d+)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_SEASON = re.compile(r"(\d{4})[-/](winter|spring|summer|fall)")


def age(text: str) -> timedelta:
    """Read ``30d``, ``12h``, ``2w`` or ``90m``. Raises ``InvalidInputError``."""
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidInputError(f"{text!r} is not an age", hint="write a number and m, h, d or w: 30d")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def ids(text: str) -> Iterator[int]:
    """Read ``1,5,20-30``, or the same with a line each. Raises ``InvalidInputError``."""
    for part in filter(None, re.split(r"[,\s]+", text)):
        match = _RANGE.fullmatch(part)
        if match is None or int(match.group(1)) < 1:
            raise InvalidInputError(f"{part!r} is not an anime id", hint="write ids and ranges: 1,5,20-30")
        first = int(match.group(1))
        yield from range(first, int(match.group(2) or first) + 1)


def seasons(text: str) -> Iterator[tuple[int, str]]:
    """Read ``1998-spring,1999-fall``. Raises ``InvalidInputError``."""
    for part in filter(None, re.split(r"[,\s]+", text.lower())):
        match = _SEASON.fullmatch(part)
        if match is None:
            raise InvalidInputError(
                f"{part!r} is not a season", hint="write a year and winter, spring, summer or fall: 1998-spring"
            )
        yield int(match.group(1)), match.group(2)
