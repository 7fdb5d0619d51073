"""Routes of users: their lists, summaries, similar users, history, export and deletion."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get
from litestar.params import QueryParameter

from gars.application.recommend.ask import MAX_ASKED
from gars.application.recommend.list_request import Explain, ListRequest
from gars.application.recommend.paging import page_of, resume, without_shown
from gars.domain.user_export import UserExport
from gars.domain.user_state import UserState
from gars.entrypoints.api import cards, response_cache
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.event_shapes import ForgottenBody
from gars.entrypoints.api.params import (
    MAX_USER_ID,
    CursorParam,
    FiltersDep,
    K,
    Offset,
    ServiceDep,
    UserId,
    checked_user_id,
)
from gars.entrypoints.api.shapes import (
    HistoryBody,
    RecommendationsBody,
    SimilarUserBody,
    SimilarUsersBody,
    TasteBody,
    UsersPage,
    UserSummary,
)
from gars.entrypoints.api.workers import run_in_worker, run_with_deadline


@get("/users", summary="Known users", responses=errors(400, 503), tags=["users"])
async def list_users(
    service: ServiceDep,
    limit: K = 20,
    after: Annotated[str, QueryParameter(max_length=MAX_USER_ID, description="The `next` of the page before")] = "",
) -> UsersPage:
    """Users of the data set and new users, in ascending order of their ids as text."""
    if after:
        checked_user_id(after)

    def page() -> UsersPage:
        ids = service.states.user_ids(limit=limit + 1, after=after)
        shown = ids[:limit]
        states = service.states.get_many(shown)
        users = [cards.summary(user_id, states.get(user_id), service.catalogue) for user_id in shown]
        return UsersPage(users, shown[-1] if len(ids) > limit else None)

    return await run_in_worker(service, page)


@get("/users/{user_id:str}", summary="What is known of a user", responses=errors(400, 503), tags=["users"])
async def get_user(service: ServiceDep, user_id: UserId) -> UserSummary:
    """Counts and the latest titles. An unknown user is `known: false`, not an error."""
    user_id = checked_user_id(user_id)
    state = await run_in_worker(service, service.states.get, user_id)
    return cards.summary(user_id, state, service.catalogue)


@get(
    "/users/{user_id:str}/recommendations",
    summary="What this user should watch",
    responses=errors(400, 503),
    tags=["users"],
)
async def get_recommendations(
    request: Request[Any, Any, Any],
    service: ServiceDep,
    user_id: UserId,
    filters: FiltersDep,
    k: K = 20,
    offset: Offset = 0,
    after: CursorParam = "",
    explain: Annotated[Explain, QueryParameter(description="full adds scores and features")] = "reasons",
    ask: Annotated[
        str | None,
        QueryParameter(
            min_length=1,
            max_length=MAX_ASKED,
            description="A request in words (English, Japanese, Chinese), such as `a slow romance, under 13 episodes`",
        ),
    ] = None,
) -> RecommendationsBody:
    """The list made for this request from the user's current state. An unknown user gets popular titles.

    With `ask` it is the user's list within what the request names, and `asked` holds what was understood of it.

    Send the `next` of a page as `cursor` to get the next page, without titles already shown.
    """
    user_id = checked_user_id(user_id)
    in_words = None if ask is None else await run_in_worker(service, service.ask, ask, filters)
    asked = ListRequest(
        user_id=user_id,
        k=k,
        offset=offset,
        filters=filters,
        request_id=uuid.uuid4().hex,
        asked=ask or "",
        explain=explain,
    )
    before = resume(asked, after) if after else None
    within = asked if in_words is None else msgspec.structs.replace(asked, filters=in_words.filters)
    made = await run_with_deadline(service, service.recommend, without_shown(within, before))
    response_cache.keep(request.scope, made)
    names = service.engine.feature_names if explain == "full" else None
    page = page_of(made, asked, before)
    return cards.recommendations(page, service.catalogue, feature_names=names, asked=in_words)


@get(
    "/users/{user_id:str}/similar-users",
    summary="Users with the same taste",
    responses=errors(400, 503),
    tags=["users"],
)
async def get_similar_users(service: ServiceDep, user_id: UserId, k: K = 10) -> SimilarUsersBody:
    """Users of the data set with similar taste, and the titles both like best."""
    user_id = checked_user_id(user_id)
    found = await run_in_worker(service, service.similar_users, user_id, k=k)
    return SimilarUsersBody(
        user_id,
        [
            SimilarUserBody(
                user_id=other.user_id,
                similarity=other.similarity,
                shared=other.shared,
                overlap=other.overlap,
                taste=TasteBody(
                    genres=list(other.taste.genres), titles=other.taste.titles, rating_mean=other.taste.rating_mean
                ),
                shared_titles=[
                    cards.card(anime)
                    for anime_id in other.shared_titles
                    if (anime := service.catalogue.find(anime_id)) is not None
                ],
            )
            for other in found
        ],
    )


@get("/users/{user_id:str}/history", summary="What a user watched", responses=errors(400, 503), tags=["users"])
async def get_history(
    service: ServiceDep, user_id: UserId, limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100
) -> HistoryBody:
    """Every title the user rated, marked or clicked, latest first."""
    user_id = checked_user_id(user_id)
    state = await run_in_worker(service, service.states.get, user_id)
    return HistoryBody(user_id, cards.history_entries(state or UserState(user_id=user_id), service.catalogue, limit))


@get(
    "/users/{user_id:str}/export",
    summary="Everything known of a user",
    responses=errors(400, 503),
    tags=["users"],
)
async def get_export(service: ServiceDep, user_id: UserId) -> Response[UserExport]:
    """All events in order of arrival, the history before them, and the state in numbers.

    `POST /lists/import` accepts it, here or in another service, and restores the same state.
    """
    user_id = checked_user_id(user_id)
    await asyncio.wrap_future(service.recorder.call(lambda: None))  # include impressions still in the queue
    export = await asyncio.wrap_future(service.writer.call(lambda: service.export_user(user_id)))
    return Response(export, headers={"Content-Disposition": 'attachment; filename="gars-user.json"'})


@delete(
    "/users/{user_id:str}",
    status_code=200,
    summary="Forget a user",
    responses=errors(400, 403, 503),
    tags=["users"],
)
async def delete_user(request: Request[Any, Any, Any], service: ServiceDep, user_id: UserId) -> ForgottenBody:
    """Deletes all data of a user for good. Repeating it is harmless."""
    user_id = checked_user_id(user_id)
    try:
        gone = await asyncio.wrap_future(service.writer.call(lambda: service.forget_user(user_id)))
    finally:  # also after a partial deletion
        request.app.state.response_cache.forget(user_id)
    return ForgottenBody(user_id=user_id, events=gone.events, impressions=gone.impressions, state=gone.state)
