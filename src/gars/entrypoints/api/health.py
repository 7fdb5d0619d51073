"""Is the process alive, and can it serve."""

from __future__ import annotations

import asyncio

from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec

from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep
from gars.entrypoints.api.shapes import LiveBody, ReadyBody


@get("/health/live", summary="The process answers", responses=errors(400), tags=["service"])
async def get_live() -> LiveBody:
    """Touches nothing: an answer means that the event loop turns."""
    return LiveBody()


@get(
    "/health/ready",
    summary="Requests can be served",
    responses={**errors(400), 503: ResponseSpec(ReadyBody, description="Something that requests need does not work")},
    tags=["service"],
)
async def get_ready(service: ServiceDep) -> Response[ReadyBody]:
    """Checks the model, and that the log and the states can be written to disk at this moment."""
    # not on the service's own threads: they may all be waiting for the same disk
    checks = await asyncio.to_thread(service.health)
    ready = all(said == "ok" for said in checks.values())
    return Response(
        ReadyBody("ready" if ready else "degraded", checks),
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"} if ready else {"Cache-Control": "no-store", "Retry-After": "1"},
    )
