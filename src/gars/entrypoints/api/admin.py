"""What operators do from afar, with a token of its own: which models there are, which one serves."""

from __future__ import annotations

import asyncio
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter

from gars.bootstrap import Live
from gars.domain.errors import ArtefactError, ConflictError
from gars.entrypoints.api.access_shapes import ModelEntry, ModelsBody, ServingBody
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import RunningDep
from gars.entrypoints.api.security import refuse_other_sites
from gars.library.registry import Registry


@get("/models", summary="Every trained model", responses=errors(400, 403, 503), tags=["admin"])
async def get_models(running: RunningDep) -> ModelsBody:
    """The newest first, and which one serves."""
    manifests = await asyncio.to_thread(_registry(running).versions)
    return ModelsBody(running.swap.version, [ModelEntry(one.version, one.created) for one in manifests])


@post(
    "/models/promote",
    status_code=200,
    summary="Serve another model",
    guards=[refuse_other_sites],
    responses=errors(400, 403, 409),
    tags=["admin"],
)
async def promote(
    running: RunningDep,
    version: Annotated[str, QueryParameter(min_length=1, max_length=128, description="Version, or its first letters")],
) -> ServingBody:
    """Verifies every file, then serves it from the next request on. Requests under way keep the model before."""
    return await asyncio.to_thread(_promoted, running, version)


@post(
    "/models/rollback",
    status_code=200,
    summary="Serve the model before",
    guards=[refuse_other_sites],
    responses=errors(400, 403, 409),
    tags=["admin"],
)
async def rollback(running: RunningDep) -> ServingBody:
    """Back to the model that served before the current one."""
    return await asyncio.to_thread(_promoted, running, None)


def _promoted(running: Live, version: str | None) -> ServingBody:
    registry = _registry(running)
    before = running.swap.version
    try:
        if version is None:
            registry.rollback()
        else:
            registry.promote(version)
    except ArtefactError as error:
        raise ConflictError(error.message, hint=error.hint) from error
    running.swap.refresh(again=True)
    if running.swap.problem:
        raise ConflictError(running.swap.problem.message, hint=running.swap.problem.hint)
    return ServingBody(serving=running.swap.version, before=before)


def _registry(running: Live) -> Registry:
    return Registry(running.current.settings.models)
