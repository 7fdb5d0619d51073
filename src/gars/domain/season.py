"""Anime come out by the quarter of the year."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, get_args

Season = Literal["winter", "spring", "summer", "fall"]
SEASONS: Final[tuple[Season, ...]] = get_args(Season)


def season_of(day: date) -> tuple[int, Season]:
    """Year and season of a day; winter begins in January."""
    return day.year, SEASONS[(day.month - 1) // 3]
