"""JSON types of shelves."""

from __future__ import annotations

from datetime import date

import msgspec

from gars.domain.season import Season
from gars.entrypoints.api.shapes import AnimeCard


class ContinueEntry(msgspec.Struct, frozen=True):
    """An anime that continues a title the user completed."""

    anime: AnimeCard
    after: AnimeCard


class ContinueBody(msgspec.Struct, frozen=True):
    """The next parts of the stories a user follows."""

    user_id: str
    items: list[ContinueEntry]


class TrendEntry(msgspec.Struct, frozen=True):
    """A title and its decayed count of events; 0 for a popular title that fills the shelf."""

    anime: AnimeCard
    heat: float


class TrendingBody(msgspec.Struct, frozen=True):
    """Trending titles, hottest first."""

    items: list[TrendEntry]


class SeasonBody(msgspec.Struct, frozen=True):
    """Anime that began in a season, most popular first."""

    year: int
    season: Season
    items: list[AnimeCard]


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An anime with the day of its first episode and its season, such as ``2026-fall``, where they are known."""

    anime: AnimeCard
    released: date | None
    season: str | None


class CalendarBody(msgspec.Struct, frozen=True, kw_only=True):
    """Titles on air, those of this season first, and titles to come, soonest first."""

    today: date
    on: list[CalendarEntry]
    later: list[CalendarEntry]


class NewBody(msgspec.Struct, frozen=True):
    """Anime without ratings in the training data, nearest to the user's taste first."""

    user_id: str
    items: list[AnimeCard]
