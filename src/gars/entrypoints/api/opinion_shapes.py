"""JSON types of opinions of a user and of similar users on one anime."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class OpinionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user's opinion of an anime; null if not given. ``reaction`` is 1 for a like, -1 for a dislike."""

    anime_id: int
    rating: int | None
    status: str | None
    reaction: int | None
    seen: bool
    dismissed: bool


class NeighboursBody(msgspec.Struct, frozen=True, kw_only=True):
    """Opinions of the ``asked`` most similar users: how many watched, rated and liked it, and their mean rating."""

    asked: int
    watched: int
    rated: int
    liked: int
    rating_mean: Annotated[float, Meta(ge=1, le=10)] | None


class AnimeForUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """One anime for one user. ``opinions`` are on the anime and on others of its franchise.

    ``p_like`` is the probability of a rating above 7; null without a history, and for titles unknown to the model.
    """

    user_id: str
    anime_id: int
    version: int
    opinions: list[OpinionBody]
    neighbours: NeighboursBody
    p_like: Annotated[float, Meta(ge=0, le=1)] | None
