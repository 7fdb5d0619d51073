"""Is the process alive, and can it serve."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol

from litestar import Request, Response, get
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

_WITHIN_S = 5.0


class Checks:
    """Runs the checks in a thread of their own, one at a time: requests that come meanwhile share the answer."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gars-health")
        self._running: asyncio.Future[dict[str, str]] | None = None

    async def of(self, service: Healthy) -> dict[str, str]:
        """Return what the service says of each thing, or that it says nothing in time: a disk may hang."""
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().run_in_executor(self._thread, service.health)
        try:
            return await asyncio.wait_for(asyncio.shield(self._running), _WITHIN_S)
        except TimeoutError:
            return {"health": f"the checks have not ended within {_WITHIN_S:.0f} s"}


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
async def get_ready(request: Request[Any, Any, Any], running: ServesDep) -> Response[ReadyBody]:
    """Checks that model, states and index are warm, and that log and states can be written to disk at this moment."""
    checks = await request.app.state.health.of(running.current)
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
