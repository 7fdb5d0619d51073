"""JSON types of group recommendations."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gars.entrypoints.api.shapes import AnimeCard


class MemberBody(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a group; ``weight`` is relative to the other members."""

    user_id: str | int
    weight: Annotated[float, Meta(gt=0, le=100)] = 1.0


class GroupBody(msgspec.Struct, frozen=True):
    """The members of a group."""

    members: Annotated[list[MemberBody], Meta(min_length=1, max_length=20)]


class GroupTitle(msgspec.Struct, frozen=True, kw_only=True):
    """A title for a group: the weighted mean of predicted enjoyment, its minimum, and the value of each member."""

    anime: AnimeCard
    score: float
    least: float
    joys: dict[str, float]


class GroupListBody(msgspec.Struct, frozen=True):
    """Titles for a group, best first."""

    items: list[GroupTitle]
