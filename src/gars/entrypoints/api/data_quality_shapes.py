"""JSON types of validations and pipeline runs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec


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
