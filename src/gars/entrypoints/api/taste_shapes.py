"""JSON types of a user's taste."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gars.entrypoints.api.shapes import AnimeCard

Share = Annotated[float, Meta(ge=0, le=1)]


class TasteShare(msgspec.Struct, frozen=True, kw_only=True):
    """One genre, tag, studio or decade: how many of the user's titles have it, and how many of those they like.

    ``share`` is of the user's titles, ``others`` of what all viewers watch.
    """

    name: str
    titles: int
    liked: int
    share: Share
    others: Share


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """A title whose rating by the user differs from its mean score."""

    anime: AnimeCard
    rating: int
    score: float


class TasteReport(msgspec.Struct, frozen=True, kw_only=True):
    """A user's taste. ``ratings`` counts ratings from 1 to 10; ``severity`` is their mean difference from scores."""

    user_id: str
    version: int
    titles: int
    ratings: Annotated[list[int], Meta(min_length=10, max_length=10)]
    severity: float | None
    genres: list[TasteShare]
    tags: list[TasteShare]
    studios: list[TasteShare]
    decades: list[TasteShare]
    contrasts: list[Contrast]


class LovedEntry(msgspec.Struct, frozen=True):
    """Favourites of a similar user that this user has no opinion of, best first."""

    user_id: str
    loved: list[AnimeCard]


class LovedBody(msgspec.Struct, frozen=True):
    """The most similar users, most similar first."""

    user_id: str
    items: list[LovedEntry]
