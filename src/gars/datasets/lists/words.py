"""What the sites' words, scores and dates mean here."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

from gars.datasets.lists.draft import Draft, brief, shown
from gars.domain.interaction import Status

_STATUS = {
    "1": Status.WATCHING,
    "watching": Status.WATCHING,
    "currentlywatching": Status.WATCHING,
    "current": Status.WATCHING,
    "rewatching": Status.WATCHING,
    "2": Status.COMPLETED,
    "completed": Status.COMPLETED,
    "repeating": Status.COMPLETED,
    "3": Status.ON_HOLD,
    "onhold": Status.ON_HOLD,
    "paused": Status.ON_HOLD,
    "4": Status.DROPPED,
    "dropped": Status.DROPPED,
    "6": Status.PLANNED,
    "plantowatch": Status.PLANNED,
    "planned": Status.PLANNED,
    "planning": Status.PLANNED,
}
"""Letters and digits of the word, in lower case → status. Numbers are MyAnimeList's old codes. Who watches a finished
title again (AniList's REPEATING) has completed it."""
_MANGA = frozenset({"reading", "rereading", "plantoread"})
_NO_DATE = ("", "0000-00-00", "0")
_MAX_SCALE = 10
_MILLISECONDS_FROM = 1e11
"""As seconds this would be the year 5138."""
_LATEST_MS = 2e14


def status(word: object, draft: Draft) -> Status | None:
    """The status a word stands for; an unknown word is noted and left out."""
    if word is None or word == "":
        return None
    found = _STATUS.get(_letters(word))
    if found is None:
        draft.note(f"a status was not understood and left out: {shown(brief(word))!r}")
    return found


def is_of_manga(word: object) -> bool:
    """Whether a status is one that only readers have."""
    return _letters(word) in _MANGA


def rating(score: object, draft: Draft, *, times: float = 1.0) -> int | None:
    """A score in a site's own scale, ``times`` which it is 1–10; 0 and nothing mean not rated.

    Halves are rounded up. What is no score of the scale is noted and left out.
    """
    number = _number(score)
    if number is None:
        if score is not None and brief(score).strip() not in ("", "-"):
            draft.note(f"a score was not understood and left out: {shown(brief(score))!r}")
        return None
    if number == 0:
        return None
    if not 0 < number * times <= _MAX_SCALE:
        draft.note(f"a score is not on the scale and was left out: {number:g}")
        return None
    return max(1, math.floor(number * times + 0.5))


def day_ms(text: object) -> int | None:
    """Midnight UTC of ``2014-07-26``; a day or a month of 0 is the first; ``None`` where there is no date."""
    if not isinstance(text, str) or text.strip() in _NO_DATE:
        return None
    parts = text.strip()[:10].split("-")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return date_ms(*(int(part) for part in (*parts, "1", "1")[:3]))


def date_ms(year: object, month: object, day: object) -> int | None:
    """Midnight UTC of a date that may lack its month or day; ``None`` without a year that can be one."""
    numbers = [part if isinstance(part, int) and not isinstance(part, bool) else 0 for part in (year, month, day)]
    try:
        found = date(numbers[0], numbers[1] or 1, numbers[2] or 1)
    except (ValueError, OverflowError):
        return None
    return _ms(datetime(found.year, found.month, found.day, tzinfo=UTC))


def time_ms(text: object) -> int | None:
    """An ISO 8601 time; without a zone it is UTC."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return _ms(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def seconds_ms(value: object) -> int | None:
    """Unix seconds or milliseconds, given as a number or its digits; 0 means unknown."""
    number = _number(value)
    if number is None or not 0 < number < _LATEST_MS:
        return None
    return int(number if number >= _MILLISECONDS_FROM else number * 1000)


def _letters(word: object) -> str:
    return "".join(character for character in brief(word).casefold() if character.isalnum())


def _number(value: object) -> float | None:
    if isinstance(value, str):
        text = value[:40].strip().replace(",", ".")
        try:
            value = float(text)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _ms(time: datetime) -> int | None:
    ms = round(time.timestamp() * 1000)
    return ms if ms > 0 else None
