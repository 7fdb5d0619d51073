"""Routes that import a list: ``POST /lists/import`` and ``/lists/fetch``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, post
from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import QueryParameter

from gars.bootstrap import Service
from gars.datasets.lists.parse import parse
from gars.domain.errors import InvalidInputError, NotAllowedError
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.event_shapes import ImportBody
from gars.entrypoints.api.params import MAX_USER_ID, ServiceDep, checked_user_id

IMPORTS = 2
"""Lists that are imported at once; others wait."""
_FIELDS = ("file", "text")
_BYTES = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
_TEXT = Schema(type=OpenAPIType.STRING)


@dataclass
class _TakesAFile(Operation):
    """OpenAPI description of the body: the file itself, its text, or a form with either."""

    def __post_init__(self) -> None:
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": _BYTES, "text": _TEXT})
        self.request_body = RequestBody(
            required=True,
            content={
                "application/octet-stream": OpenAPIMediaType(schema=_BYTES),
                "text/plain": OpenAPIMediaType(schema=_TEXT),
                "multipart/form-data": OpenAPIMediaType(schema=form),
            },
        )


@post(
    "/lists/import",
    status_code=200,
    summary="Bring in a list from elsewhere",
    operation_class=_TakesAFile,
    responses=errors(400, 403, 413, 503),
    tags=["lists"],
)
async def post_list(
    request: Request[Any, Any, Any],
    service: ServiceDep,
    user_id: Annotated[str, QueryParameter(min_length=1, max_length=MAX_USER_ID, description="Whose list it becomes")],
) -> ImportBody:
    """The body is the file, its text, or a form with `file` or `text`. The format is detected from the content:
    MyAnimeList's XML export (also gzipped), JSON of AniList, MyAnimeList or Kitsu, an export of GARS, or CSV.

    Responds once everything is on disk, with the accepted, unknown and skipped entries. Repeating it changes nothing.
    """
    user_id = checked_user_id(user_id)
    content = await _content(request)
    return await _in_own_thread(request, partial(_import, service, user_id, content))


@post(
    "/lists/fetch",
    status_code=200,
    summary="Fetch a list from another site by its owner's name",
    responses=errors(400, 403, 502, 503),
    tags=["lists"],
)
async def fetch_list(
    request: Request[Any, Any, Any],
    service: ServiceDep,
    site: Annotated[Literal["anilist", "myanimelist"], QueryParameter(description="Where the list is kept")],
    name: Annotated[str, QueryParameter(min_length=1, max_length=64, description="The user's name there")],
    user_id: Annotated[str, QueryParameter(min_length=1, max_length=MAX_USER_ID, description="Whose list it becomes")],
) -> ImportBody:
    """Imports the current list like a file. Only if the service allows it (`GARS_FETCH_LISTS=on`)."""
    user_id = checked_user_id(user_id)
    if site not in service.sites:
        raise NotAllowedError(
            "this service does not fetch lists from other sites",
            hint="import a file instead; its owner can allow it with GARS_FETCH_LISTS=on",
        )

    def fetched() -> ImportBody:
        return _import(service, user_id, service.sites[site].fetch(name))

    return await _in_own_thread(request, fetched)


async def _in_own_thread(request: Request[Any, Any, Any], work: Callable[[], ImportBody]) -> ImportBody:
    """Run an import in its own thread pool, so that a long import or a slow site does not delay other requests."""
    return await asyncio.get_running_loop().run_in_executor(
        request.app.state.imports, partial(copy_context().run, work)
    )


def _import(service: Service, user_id: str, content: bytes) -> ImportBody:
    listed = parse(content, limit=service.settings.max_list_bytes)
    return msgspec.convert(service.import_list(user_id, listed), ImportBody, from_attributes=True)


async def _content(request: Request[Any, Any, Any]) -> bytes:
    """Read the list from a body of any type; of a form, its ``file`` or ``text`` field."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    form = await request.form()
    for name in _FIELDS:
        value = form.get(name)
        if isinstance(value, UploadFile):
            return await value.read()
        if isinstance(value, str) and value:
            return value.encode()
    raise InvalidInputError("the form has neither file nor text", hint="send the list as the field file, or as text")
