"""Groups: what several people can watch together."""

from __future__ import annotations

from litestar import post
from litestar.params import JSONBody

from gars.application.group import Member
from gars.entrypoints.api import cards
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.group_shapes import GroupBody, GroupListBody, GroupTitle
from gars.entrypoints.api.params import FiltersDep, K, ServiceDep, checked_user_id
from gars.entrypoints.api.threads import in_thread


@post(
    "/groups/recommendations",
    status_code=200,
    summary="What a group can watch together",
    responses=errors(400, 413, 415, 503),
    tags=["groups"],
)
async def post_group(service: ServiceDep, data: JSONBody[GroupBody], filters: FiltersDep, k: K = 20) -> GroupListBody:
    """Titles nobody of the group has seen, by the mean of their chances to like it; what one of them would rather
    not watch comes last. It is read only: nothing is kept of the group."""
    members = [Member(checked_user_id(one.user_id), one.weight) for one in data.members]
    found = await in_thread(service, service.group, members, k=k, filters=filters)
    return GroupListBody(
        [
            GroupTitle(
                anime=cards.card(service.catalogue.get(one.anime_id)), score=one.score, least=one.least, joys=one.joys
            )
            for one in found
        ]
    )
