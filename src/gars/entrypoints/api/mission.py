"""Short routes that return plain lists of anime ids."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import QueryParameter

from gars.application.recommend.list_request import ListRequest
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.page import index_html
from gars.entrypoints.api.params import MAX_USER_ID, ServiceDep, checked_user_id
from gars.entrypoints.api.workers import run_in_worker, run_with_deadline

_K = 20


@get("/", include_in_schema=False)
async def get_root(
    request: Request[Any, Any, Any],
    service: ServiceDep,
    user_id: Annotated[str | None, QueryParameter(max_length=MAX_USER_ID)] = None,
) -> Response[bytes] | Response[list[int]]:
    """Return the ids of a user's list as JSON; without ``user_id``, the page."""
    if user_id is None:
        return index_html(request)
    asked = ListRequest(user_id=checked_user_id(user_id), k=_K, request_id=uuid.uuid4().hex)
    made = await run_with_deadline(service, service.recommend, asked)
    return Response([item.anime_id for item in made.items], media_type="application/json")


@get("/sim", summary="Ids of anime like this one", responses=errors(400, 404), tags=["mission"])
async def get_sim(
    service: ServiceDep, anime_id: Annotated[int, QueryParameter(ge=0, le=2**31 - 1, description="MyAnimeList id")]
) -> list[int]:
    """The short form of `/api/v1/anime/{id}/similar`."""
    found = await run_in_worker(service, service.similar_anime, anime_id, k=_K)
    return [other for other, _ in found]
