"""The JSON of what a user and those like them hold of one anime."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class OpinionBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a user said of an anime; null is nothing. ``reaction`` is 1 for a like, -1 for a dislike."""

    anime_id: int
    rating: int | None
    status: str | None
    reaction: int | None
    seen: bool
    dismissed: bool


class NeighboursBody(msgspec.Struct, frozen=True, kw_only=True):
    """What those most like the user thought of it: how many were asked, watched it, rated it, liked it."""

    asked: int
    watched: int
    rated: int
    liked: int
    rating_mean: Annotated[float, Meta(ge=1, le=10)] | None


class AnimeForUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """One anime in a user's eyes. ``opinions``: on it, and on others of its franchise.

    ``p_like`` is the chance of a rating above 7; null without a history, and for a title the model does not know.
    """

    user_id: str
    anime_id: int
    version: int
    opinions: list[OpinionBody]
    neighbours: NeighboursBody
    p_like: Annotated[float, Meta(ge=0, le=1)] | None
