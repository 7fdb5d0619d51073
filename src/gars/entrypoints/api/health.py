"""Health routes: liveness and readiness."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import SkipValidation

from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.shapes import LiveBody, ReadyBody
from gars.runtime.live_service import Healthy, LiveService

RunningDep = NamedDependency[SkipValidation[LiveService[Any]]]

_WITHIN_S = 5.0


class Checks:
    """Runs the checks in a thread of their own, one at a time; concurrent requests share the result."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gars-health")
        self._running: asyncio.Future[dict[str, str]] | None = None

    async def of(self, service: Healthy) -> dict[str, str]:
        """Return the result of the checks, or a timeout fault after ``_WITHIN_S``: a disk may hang."""
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().run_in_executor(self._thread, service.health)
        try:
            return await asyncio.wait_for(asyncio.shield(self._running), _WITHIN_S)
        except TimeoutError:
            return {"health": f"the checks have not ended within {_WITHIN_S:.0f} s"}


@get("/health/live", summary="The process answers", responses=errors(400), tags=["service"])
async def get_live() -> LiveBody:
    """Returns 200 without any check: the event loop is running."""
    return LiveBody()


@get(
    "/health/ready",
    summary="Requests can be served",
    responses={**errors(400), 503: ResponseSpec(ReadyBody, description="Something that requests need does not work")},
    tags=["service"],
)
async def get_ready(request: Request[Any, Any, Any], running: RunningDep) -> Response[ReadyBody]:
    """Checks that model, states and index are loaded, and that log and states can be written to disk now."""
    checks = await request.app.state.health.of(running.current)
    status = running.phase
    body = ReadyBody(
        "degraded" if status == "ready" and any(problem != "ok" for problem in checks.values()) else status,
        checks,
        running.warnings(),
    )
    ready = body.status == "ready"
    return Response(
        body,
        status_code=200 if ready else 503,
        headers={"Cache-Control": "no-store"} if ready else {"Cache-Control": "no-store", "Retry-After": "1"},
    )
