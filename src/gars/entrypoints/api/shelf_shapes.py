"""The JSON of shelves."""

from __future__ import annotations

import msgspec

from gars.domain.season import Season
from gars.entrypoints.api.shapes import AnimeCard


class ContinueEntry(msgspec.Struct, frozen=True):
    """What continues a title the user completed."""

    anime: AnimeCard
    after: AnimeCard


class ContinueBody(msgspec.Struct, frozen=True):
    """The next parts of the stories a user follows."""

    user_id: str
    items: list[ContinueEntry]


class TrendEntry(msgspec.Struct, frozen=True):
    """A title and its decayed count of events; 0 for a popular one that fills the shelf."""

    anime: AnimeCard
    heat: float


class TrendingBody(msgspec.Struct, frozen=True):
    """What is asked for now, hottest first."""

    items: list[TrendEntry]


class SeasonBody(msgspec.Struct, frozen=True):
    """What began in a season, the most popular first."""

    year: int
    season: Season
    items: list[AnimeCard]


class NewBody(msgspec.Struct, frozen=True):
    """Anime without ratings in the training data, those nearest to the user's taste first."""

    user_id: str
    items: list[AnimeCard]
