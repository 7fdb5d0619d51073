"""Route of group recommendations."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta

from gars.application.recommend.group import Member
from gars.entrypoints.api import cards
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import FiltersDep, K, ServiceDep, checked_user_id
from gars.entrypoints.api.shapes import AnimeCard
from gars.entrypoints.api.workers import run_in_worker


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


@post(
    "/groups/recommendations",
    status_code=200,
    summary="What a group can watch together",
    responses=errors(400, 404, 413, 415, 503),
    tags=["groups"],
)
async def post_group(service: ServiceDep, data: JSONBody[GroupBody], filters: FiltersDep, k: K = 20) -> GroupListBody:
    """Titles that no member has seen, ordered by the mean probability that members like them. Titles that a member is
    likely to dislike come last. An unknown member is an error (404 `unknown_user`). Read-only: nothing about the group
    is stored.
    """
    members = [Member(checked_user_id(one.user_id), one.weight) for one in data.members]
    found = await run_in_worker(service, service.group, members, k=k, filters=filters)
    return GroupListBody(
        [
            GroupTitle(
                anime=cards.card(service.catalogue.get(one.anime_id)), score=one.score, least=one.least, joys=one.joys
            )
            for one in found
        ]
    )
