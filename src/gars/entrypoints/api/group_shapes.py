"""The JSON of groups."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gars.entrypoints.api.shapes import AnimeCard


class MemberBody(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of a group; ``weight`` is how much their joy counts beside that of the others."""

    user_id: str | int
    weight: Annotated[float, Meta(gt=0, le=100)] = 1.0


class GroupBody(msgspec.Struct, frozen=True):
    """Who watches together."""

    members: Annotated[list[MemberBody], Meta(min_length=1, max_length=20)]


class GroupTitle(msgspec.Struct, frozen=True, kw_only=True):
    """A title for a group: mean joy, that of who likes it least, and each member's."""

    anime: AnimeCard
    score: float
    least: float
    joys: dict[str, float]


class GroupListBody(msgspec.Struct, frozen=True):
    """What a group can watch together, the best for all first."""

    items: list[GroupTitle]
