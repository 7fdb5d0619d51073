"""Administration routes: list trained models, promote one, roll back. They require the admin token."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import QueryParameter

from gars.bootstrap import Live
from gars.domain.errors import ArtefactError, ConflictError
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import RunningDep
from gars.library.artefact import Manifest
from gars.library.registry import Registry


class ModelEntry(msgspec.Struct, frozen=True):
    """A trained model."""

    version: str
    trained: str


class ModelsBody(msgspec.Struct, frozen=True):
    """All trained models, and the version that serves."""

    serving: str
    models: list[ModelEntry]


class TrainingBody(msgspec.Struct, frozen=True, kw_only=True):
    """Provenance of a trained model. ``curves`` has a value per epoch; those named ``val_…`` are of held-out users."""

    version: str
    trained: str
    seed: int
    data: str
    users: int
    anime: int
    interactions: int
    features: int
    metrics: dict[str, float]
    curves: dict[str, list[float]]
    libraries: dict[str, str]


class LatestTrainingBody(msgspec.Struct, frozen=True):
    """The newest training; null if nothing was trained here."""

    latest: TrainingBody | None


class ServingBody(msgspec.Struct, frozen=True, kw_only=True):
    """The version that serves now, and the version that served before."""

    serving: str
    before: str


@get("/models", summary="Every trained model", responses=errors(400, 403, 503), tags=["admin"])
async def get_models(running: RunningDep) -> ModelsBody:
    """All trained models, newest first, and the version that serves."""
    manifests = await asyncio.to_thread(_registry(running).versions)
    return ModelsBody(running.swap.version, [ModelEntry(one.version, one.created) for one in manifests])


@get("/training", summary="How the newest model came to be", responses=errors(400, 403, 503), tags=["admin"])
async def get_training(running: RunningDep) -> LatestTrainingBody:
    """Training curves, metrics, data and library versions of the newest model, which may not be the one that serves."""
    manifests = await asyncio.to_thread(_registry(running).versions)
    return LatestTrainingBody(_training(manifests[0]) if manifests else None)


@post(
    "/models/promote",
    status_code=200,
    summary="Serve another model",
    responses=errors(400, 403, 409),
    tags=["admin"],
)
async def promote(
    running: RunningDep,
    version: Annotated[str, QueryParameter(min_length=1, max_length=128, description="Version, or its first letters")],
) -> ServingBody:
    """Verify every file of the model, then serve it from the next request on. Requests in progress keep the old one."""
    return await asyncio.to_thread(_promoted, running, version)


@post(
    "/models/rollback",
    status_code=200,
    summary="Serve the model before",
    responses=errors(400, 403, 409),
    tags=["admin"],
)
async def rollback(running: RunningDep) -> ServingBody:
    """Return to the model that served before the current one."""
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


def _training(manifest: Manifest) -> TrainingBody:
    facts = manifest.data
    return TrainingBody(
        version=manifest.version,
        trained=manifest.created,
        seed=manifest.seed,
        data=str(facts.get("name", "unknown")),
        users=int(facts.get("users", 0)),
        anime=int(facts.get("items", 0)),
        interactions=int(facts.get("rows", 0)),
        features=len(manifest.features),
        metrics={name: float(value) for name, value in manifest.metrics.items() if isinstance(value, int | float)},
        curves=manifest.curves,
        libraries=manifest.libraries,
    )


def _registry(running: Live) -> Registry:
    return Registry(running.current.settings.models)
