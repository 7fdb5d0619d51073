"""Is the process alive, and can it serve."""

from __future__ import annotations

import asyncio
from typing import Literal, Protocol

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import SkipValidation

from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.shapes import LiveBody, ReadyBody


class Healthy(Protocol):
    """A service that can say how it does."""

    def health(self) -> dict[str, str]:
        """``"ok"`` or what is wrong, for each thing that a request needs."""
        ...


class Serves(Protocol):
    """What serves, and how far it is between its start and its end."""

    phase: Literal["starting", "ready", "stopping"]

    @property
    def current(self) -> Healthy:
        """What answers now."""

    def warnings(self) -> dict[str, str]:
        """What is not as it should be although requests are served."""
        ...


ServesDep = NamedDependency[SkipValidation[Serves]]


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
async def get_ready(running: ServesDep) -> Response[ReadyBody]:
    """Checks that model, states and index are warm, and that log and states can be written to disk at this moment."""
    # not on the service's own threads: they may all be waiting for the same disk
    checks = await asyncio.to_thread(running.current.health)
    status = running.phase
    body = ReadyBody(
        "degraded" if status == "ready" and any(said != "ok" for said in checks.values()) else status,
        checks,
        running.warnings(),
    )
    ready = body.status == "ready"
    return Response(
        body,
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"} if ready else {"Cache-Control": "no-store", "Retry-After": "1"},
    )
