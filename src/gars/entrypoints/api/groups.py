"""Route of group recommendations."""

from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from gars.application.recommend.group import Member
from gars.entrypoints.api import cards
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.group_shapes import GroupBody, GroupListBody, GroupTitle
from gars.entrypoints.api.params import FiltersDep, K, ServiceDep, checked_user_id
from gars.entrypoints.api.workers import run_in_worker


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
