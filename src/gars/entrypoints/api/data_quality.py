"""Administration routes of data quality: the newest validation with its drift, and the runs of the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec
from litestar import get

from gars.datasets.acceptance import Validation
from gars.datasets.drift import Drift
from gars.datasets.validations import KeptValidation, latest
from gars.domain.errors import ConflictError, DataError, InvalidInputError
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep
from gars.pipeline.journal import RunJournal
from gars.pipeline.runs import runs, validations


class CheckBody(msgspec.Struct, frozen=True):
    """A value and its threshold; ``passed`` if the value is not above ``limit``."""

    name: str
    value: float
    limit: float
    says: str
    passed: bool


class MovedBody(msgspec.Struct, frozen=True):
    """A count before and now."""

    name: str
    before: float | None
    now: float | None


class DriftBody(msgspec.Struct, frozen=True, kw_only=True):
    """Differences from the previously accepted snapshot."""

    before: str
    """Content hash of that snapshot."""
    rating_shift: float
    """Total variation distance of the two histograms of ratings, 0 to 1."""
    moved: list[MovedBody]
    unknown_rise: dict[str, float]
    """Field of the catalogue → increase of the share of anime without a value."""
    anime_new: int
    anime_vanished: int
    new_examples: list[str]
    vanished_examples: list[str]
    ratings_before: list[int]
    """Number of rows per rating, 1 to 10."""


class ValidationBody(msgspec.Struct, frozen=True, kw_only=True):
    """The validation report of a data set. ``drift`` is null if there was no snapshot to compare with."""

    dataset: str
    content_hash: str
    made_at: datetime
    accepted: bool
    faults: list[str]
    checks: list[CheckBody]
    rows: int
    users: int
    anime: int
    catalogue: int
    unrated_share: float
    first_day: date | None
    last_day: date | None
    ratings: list[int]
    """Number of rows per rating, 1 to 10."""
    unknown_share: dict[str, float]
    """Field of the catalogue → share of anime without a value."""
    suspicious_users: int
    drift: DriftBody | None


class LatestValidationBody(msgspec.Struct, frozen=True):
    """The newest validation; null if there is none."""

    latest: ValidationBody | None


class StepBody(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run; ``seconds`` and ``peak_mb`` are set for finished steps."""

    name: str
    state: Literal["done", "failed"]
    time: str
    seconds: float | None = None
    peak_mb: float | None = None
    message: str | None = None


class ComparedBody(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of candidate and serving model on the same users; ``gain`` with its 95 % interval, more is better."""

    metric: str
    candidate: float
    other: float
    gain: float
    low: float
    high: float
    guarded: bool


class VerdictBody(msgspec.Struct, frozen=True, kw_only=True):
    """The decision to promote the candidate or not, and the reason."""

    promote: bool
    why: str
    against: str
    users: int
    compared: list[ComparedBody]


class RunBody(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the pipeline. ``open``: it is in progress, or its process was killed."""

    run: str
    begun: str | None
    state: str
    """``open``, ``failed``, ``promoted``, ``kept``, ``stopped`` or ``rolled back``."""
    message: str | None
    steps: list[StepBody]
    verdict: VerdictBody | None


class RunsBody(msgspec.Struct, frozen=True):
    """The latest runs, newest first."""

    runs: list[RunBody]


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
