"""Administration routes of data quality: the newest validation with its drift, and the runs of the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
from litestar import get

from gars.datasets.acceptance import Validation
from gars.datasets.drift import Drift
from gars.datasets.validations import KeptValidation, latest
from gars.domain.errors import ConflictError, DataError, InvalidInputError
from gars.entrypoints.api.data_quality_shapes import (
    CheckBody,
    DriftBody,
    LatestValidationBody,
    MovedBody,
    RunBody,
    RunsBody,
    StepBody,
    ValidationBody,
    VerdictBody,
)
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep
from gars.pipeline.journal import RunJournal
from gars.pipeline.runs import runs, validations

_LATEST = 10


@get("/validation", summary="What validation found in the data", responses=errors(400, 403, 409), tags=["admin"])
async def get_validation(service: ServiceDep) -> LatestValidationBody:
    """The newest result of `gars data validate`, of the accepted snapshot or of a pipeline run."""
    found = await asyncio.to_thread(_latest, service.settings.home)
    return LatestValidationBody(None if found is None else _validation(found))


@get("/runs", summary="Runs of the pipeline", responses=errors(400, 403, 409), tags=["admin"])
async def get_runs(service: ServiceDep) -> RunsBody:
    """The latest ten runs, newest first, each with its steps and outcome."""
    return RunsBody(await asyncio.to_thread(_runs, service.settings.home))


def _latest(home: Path) -> KeptValidation | None:
    try:
        return latest(home, also=validations(home))
    except DataError as error:
        raise ConflictError(error.message, hint=error.hint) from error


def _runs(home: Path) -> list[RunBody]:
    try:
        return [_run(one) for one in reversed(runs(home)[-_LATEST:])]
    except InvalidInputError as error:
        raise ConflictError(error.message, hint=error.hint) from error


def _validation(kept: KeptValidation) -> ValidationBody:
    found: Validation = kept.validation
    report = found.report
    return ValidationBody(
        dataset=found.name,
        content_hash=found.content_hash,
        made_at=kept.made_at,
        accepted=found.accepted,
        faults=report.faults,
        checks=[CheckBody(one.name, one.value, one.limit, one.says, one.passed) for one in found.checks],
        rows=report.rows,
        users=report.users,
        anime=report.anime,
        catalogue=report.catalogue,
        unrated_share=report.unrated_share,
        first_day=report.first_day,
        last_day=report.last_day,
        ratings=_histogram(report.ratings),
        unknown_share=report.null_share,
        suspicious_users=report.suspicious_users,
        drift=None if found.drift is None else _drift(found.drift),
    )


def _drift(drift: Drift) -> DriftBody:
    pairs: Mapping[str, tuple[float | None, float | None]] = {
        "rows": drift.rows,
        "users": drift.users,
        "catalogue": drift.catalogue,
        "mean_rating": drift.mean_rating,
        "unrated_share": drift.unrated_share,
    }
    return DriftBody(
        before=drift.before,
        rating_shift=drift.rating_shift,
        moved=[MovedBody(name, *pair) for name, pair in pairs.items()],
        unknown_rise=drift.unknown_rise,
        anime_new=drift.anime_new,
        anime_vanished=drift.anime_vanished,
        new_examples=drift.new_examples,
        vanished_examples=drift.vanished_examples,
        ratings_before=_histogram(drift.ratings_before),
    )


def _histogram(ratings: Mapping[int, int]) -> list[int]:
    return [ratings.get(rating, 0) for rating in range(1, 11)]


def _run(journal: RunJournal) -> RunBody:
    ended, failed, done = journal.ended, journal.failed, journal.steps()
    steps = [
        StepBody(name=one.name, state="done", seconds=one.seconds, peak_mb=one.peak_mb, time=one.time) for one in done
    ]
    if failed is not None:
        steps.append(StepBody(name=failed.name, state="failed", time=failed.time, message=failed.message))
    evaluated = next((one.output for one in done if one.name == "evaluate"), None)
    return RunBody(
        run=journal.folder.name,
        begun=journal.begun.time if journal.begun else None,
        state=ended.verdict if ended else "failed" if failed else "open",
        message=ended.message if ended else failed.message if failed else None,
        steps=steps,
        verdict=None if evaluated is None else msgspec.convert(evaluated, VerdictBody),
    )
