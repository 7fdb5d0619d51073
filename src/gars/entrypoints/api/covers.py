"""Route of cover images that this service fetches and keeps."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.openapi.datastructures import ResponseSpec

from gars.application.catalogue.covers import MEDIA_TYPE, Cover, Covers
from gars.domain.errors import NotAllowedError, OverloadedError
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import AnimeIdPath, ServiceDep

_FETCHES = 4
"""Images that are fetched at once, from all sites."""
_WAITING = 200
"""Images that may wait to be fetched."""
_CACHED = "public, max-age=604800"


class CoverFetches:
    """Threads that fetch images, so that a slow site delays no other request."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_FETCHES, thread_name_prefix="gars-cover")
        self._waiting = 0

    async def fetch(self, covers: Covers, anime_id: int, address: str) -> Cover:
        """Fetch and keep an image. Raises ``FetchError``, or ``OverloadedError`` if too many wait."""
        if self._waiting >= _WAITING:
            raise OverloadedError(
                f"{self._waiting} covers wait to be fetched", hint="ask again after Retry-After seconds"
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, partial(covers.fetch, anime_id, address)
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Drop the fetches that wait; those under way end by their own deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@get(
    "/anime/{anime_id:int}/cover",
    media_type=MEDIA_TYPE,
    summary="Cover image of an anime",
    responses={
        200: ResponseSpec(bytes, media_type=MEDIA_TYPE, generate_examples=False, description="A thumbnail, 2:3"),
        **errors(400, 403, 404, 502, 503),
    },
    tags=["anime"],
)
async def get_cover(request: Request[Any, Any, Any], service: ServiceDep, anime_id: AnimeIdPath) -> Response[bytes]:
    """A WebP image of at most 400 x 600 pixels, made of the one that the catalogue names, which is fetched from its
    site at the first request. Only if the service fetches covers (`GARS_COVERS=proxy` or `ask`).
    """
    covers = service.covers
    if covers is None:
        raise NotAllowedError(
            "this service does not fetch covers", hint="its owner can allow it with GARS_COVERS=proxy"
        )
    address = service.catalogue.get(anime_id).image
    if address is None:
        raise NotFoundException(f"no cover of anime {anime_id} is known")
    cover = await asyncio.to_thread(covers.find, anime_id, address)
    if cover is None:
        cover = await request.app.state.cover_fetches.fetch(covers, anime_id, address)
    headers = {"Cache-Control": _CACHED}
    if cover.etag:
        headers["ETag"] = cover.etag
        if cover.etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
    return Response(cover.content, media_type=MEDIA_TYPE, headers=headers)
