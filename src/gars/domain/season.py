"""Anime come out by the quarter of the year."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, get_args

Season = Literal["winter", "spring", "summer", "fall"]
SEASONS: Final[tuple[Season, ...]] = get_args(Season)


def season_of(day: date) -> tuple[int, Season]:
    """Year and season of a day; winter begins in January."""
    return day.year, SEASONS[(day.month - 1) // 3]


def is_season(text: str) -> bool:
    """Return whether a text is a year and a season, such as ``2026-fall``."""
    year, dash, season = text.partition("-")
    return dash == "-" and year.isdecimal() and season in SEASONS
