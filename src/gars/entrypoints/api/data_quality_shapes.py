"""The JSON of what validation found, and of the pipeline's runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec


class CheckBody(msgspec.Struct, frozen=True):
    """One number against its threshold; ``passed`` while it is not above ``limit``."""

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
    """How the data differ from the snapshot that was accepted before."""

    before: str
    """Content hash of that snapshot."""
    rating_shift: float
    """Total variation distance of the two histograms of ratings, 0 to 1."""
    moved: list[MovedBody]
    unknown_rise: dict[str, float]
    """Field of the catalogue → rise of the share of anime that do not know it."""
    anime_new: int
    anime_vanished: int
    new_examples: list[str]
    vanished_examples: list[str]
    ratings_before: list[int]
    """Rows rated 1 to 10."""


class ValidationBody(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found in a data set. ``drift`` is null where there was nothing to compare with."""

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
    """Rows rated 1 to 10."""
    unknown_share: dict[str, float]
    """Field of the catalogue → share of anime that do not know it."""
    suspicious_users: int
    drift: DriftBody | None


class LatestValidationBody(msgspec.Struct, frozen=True):
    """The newest validation; null while nobody has made one."""

    latest: ValidationBody | None


class StepBody(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run: ``seconds`` and ``peak_mb`` are of those that were finished."""

    name: str
    state: Literal["done", "failed"]
    time: str
    seconds: float | None = None
    peak_mb: float | None = None
    message: str | None = None


class ComparedBody(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of candidate and serving model on the same users; ``gain`` with its 95 % interval, up is better."""

    metric: str
    candidate: float
    other: float
    gain: float
    low: float
    high: float
    guarded: bool


class VerdictBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the candidate may serve, and why."""

    promote: bool
    why: str
    against: str
    users: int
    compared: list[ComparedBody]


class RunBody(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the pipeline; ``open`` is one that goes on, or that a killed process left."""

    run: str
    begun: str | None
    state: str
    """``open``, ``failed``, ``promoted``, ``kept``, ``stopped`` or ``rolled back``."""
    message: str | None
    steps: list[StepBody]
    verdict: VerdictBody | None


class RunsBody(msgspec.Struct, frozen=True):
    """The latest runs, the newest first."""

    runs: list[RunBody]
