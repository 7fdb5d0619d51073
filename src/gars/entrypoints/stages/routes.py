"""Routes of the two services: the mission's own, and those the api calls with a history in MessagePack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import QueryParameter, SkipValidation

from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.stage_messages import (
    CONTENT_TYPE,
    RANK,
    RECALL,
    RECALL_IDS,
    ToRank,
    Wanted,
    encode,
    pack_found,
    unpack_found,
    unpack_history,
)
from gars.application.recommend.stages import Found, check_version
from gars.bootstrap.stages import StageService
from gars.domain.errors import ConflictError, InvalidInputError, StageError
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import MAX_USER_ID, checked_user_id
from gars.entrypoints.api.workers import run_in_worker

T = TypeVar("T")

StageDep = NamedDependency[SkipValidation[StageService]]
UserIdParam = Annotated[
    str, QueryParameter(min_length=1, max_length=MAX_USER_ID, description="The user, whose state is read")
]
AnimeIdParam = Annotated[int, QueryParameter(ge=0, le=2**31 - 1, description="MyAnimeList id")]

_K = 20
_MOST = 20_000
"""Places a list may be asked for: what the api allows, and what an exploring list looks at besides."""
MAX_BYTES = 64_000_000
"""Of a message: the candidates of the whole catalogue."""


@get("/", summary="Ids of a user's candidates, best first", responses=errors(400), tags=["mission"])
async def get_recalled(service: StageDep, user_id: UserIdParam) -> list[int]:
    """The candidates of stage one, filtered by the rules of the service. An unknown user gets popular titles."""
    return [*await run_in_worker(service, service.recalled_ids, checked_user_id(user_id), k=_K)]


@get("/sim", summary="Ids of anime like this one", responses=errors(400, 404), tags=["mission"])
async def get_sim(service: StageDep, anime_id: AnimeIdParam) -> list[int]:
    """Best first."""
    return [other for other, _ in await run_in_worker(service, service.similar_anime, anime_id, k=_K)]


@get("/", summary="Ids of a user's list, ranked", responses=errors(400), tags=["mission"])
async def get_ranked(service: StageDep, user_id: UserIdParam) -> list[int]:
    """Both stages: candidates come from GARS_RECALL where there is one."""
    made = await run_in_worker(service, service.recommend, ListRequest(user_id=checked_user_id(user_id), k=_K))
    return [item.anime_id for item in made.items]


@post(RECALL, status_code=200, include_in_schema=False)
async def post_recall(request: Request[Any, Any, Any], service: StageDep) -> Response[bytes]:
    """Candidates for a history; 409 if those of another model are wanted."""
    asked = await _asked(request, Wanted)

    def found() -> bytes:
        _check_version(service, asked.model_version or service.engine.version)
        known = _read(lambda: unpack_history(asked.history))
        made = service.stages.retrieve(known, want=_places(asked.want), filters=asked.filters)
        return encode(pack_found(Found(service.engine.version, made)))

    return _message(await run_in_worker(service, found))


@post(RECALL_IDS, status_code=200, include_in_schema=False)
async def post_recall_ids(request: Request[Any, Any, Any], service: StageDep) -> Response[bytes]:
    """Ids in the order of stage one."""
    asked = await _asked(request, Wanted)

    def found() -> bytes:
        known = _read(lambda: unpack_history(asked.history))
        return encode(service.engine.retrieve_ids(known, k=_places(asked.want), filters=asked.filters).tolist())

    return _message(await run_in_worker(service, found))


@post(RANK, status_code=200, include_in_schema=False)
async def post_rank(request: Request[Any, Any, Any], service: StageDep) -> Response[bytes]:
    """Candidates put in order; 409 for those of another model."""
    asked = await _asked(request, ToRank)

    def ranked() -> bytes:
        known, found = _read(lambda: (unpack_history(asked.history), unpack_found(asked.found)))
        _check_version(service, found.model_version)
        _places(asked.offset + asked.k)
        return encode(
            service.stages.rank_found(
                known, found.candidates, ListRequest(k=asked.k, offset=asked.offset, filters=asked.filters)
            )
        )

    return _message(await run_in_worker(service, ranked))


async def _asked(request: Request[Any, Any, Any], kind: type[T]) -> T:
    content = await request.body()
    sent = request.headers.get("content-type", "")
    if sent != CONTENT_TYPE:  # a page of another site can make a browser send text, this it cannot
        raise HTTPException(status_code=415, detail=f"the message is sent as {sent[:100]!r}, not as {CONTENT_TYPE}")
    return _read(lambda: msgspec.msgpack.decode(content, type=kind))


def _read(read: Callable[[], T]) -> T:
    """Decode a message; raises ``ConflictError``, since a service of another version of the code may read it."""
    try:
        return read()
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise ConflictError(
            f"no message of this version: {error}", hint="api, recall and rank must be of one version"
        ) from error


def _check_version(service: StageService, model_version: str) -> None:
    try:
        check_version(service.engine.version, model_version)
    except StageError as other:
        raise ConflictError(other.message, hint=other.hint) from other


def _places(wanted: int) -> int:
    if not 0 < wanted <= _MOST:
        raise InvalidInputError(f"{wanted} places", hint=f"ask for 1 to {_MOST}")
    return wanted


def _message(content: bytes) -> Response[bytes]:
    return Response(content, media_type=CONTENT_TYPE)
