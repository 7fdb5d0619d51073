"""Results of an evaluation, as in ``report.json``; every page and table is made from these values alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from gars.domain.errors import DataError
from gars.domain.metrics import Interval, ReliabilityBin

Role = Literal["baseline", "channel", "pipeline"]
"""A model to compare with, one channel of stage one alone, or stages as they serve."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of one fit."""

    seconds: float
    peak_mb: float | None
    """Largest resident memory of the whole process during the fit; ``None`` where the system does not report it."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The same metrics on some users, targets or rows."""

    kind: Literal["cut", "history", "popularity", "franchise", "began", "evidence"]
    name: str
    size: int
    """Users (lists) or rows (likes)."""
    metrics: dict[str, Interval]


class ListModelResult(msgspec.Struct, frozen=True, kw_only=True):
    """One model's lists."""

    name: str
    role: Role
    metrics: dict[str, Interval]
    coverage: float
    novelty: float | None
    """Mean self-information of the first ten, in bits."""
    diversity: float | None
    """Mean distance of the first ten to each other by their descriptions, 0–1."""
    head_share: float | None
    """Share of the first ten that belongs to the most popular tenth of the ranked items."""
    gini: float | None
    """Inequality of exposure over the ranked items."""
    scoring_ms: float | None
    """Milliseconds a user, one thread; ``None`` for a channel, whose work is shared."""
    groups: list[Group]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Paired difference of a model to another on the same users."""

    model: str
    against: str
    gains: dict[str, Interval]


class ListsResult(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol of lists."""

    protocol: str
    data: str
    users: int
    items: int
    fit_seconds: float
    baseline: str
    """The best baseline or channel by NDCG@100."""
    models: list[ListModelResult]
    comparisons: list[Comparison]


class LikeModelResult(msgspec.Struct, frozen=True, kw_only=True):
    """One model's like predictions."""

    name: str
    role: Role
    metrics: dict[str, Interval]
    """Accuracy and AUC with intervals."""
    values: dict[str, float | None]
    """GAUC, log loss, ECE."""
    scoring_ms: float
    reliability: list[ReliabilityBin]
    groups: list[Group]


class LikesResult(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol of likes."""

    protocol: str
    data: str
    rows: int
    users: int
    fit_seconds: float
    baseline: str
    """The best baseline by AUC."""
    models: list[LikeModelResult]
    comparisons: list[Comparison]


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement that was skipped, with the reason."""

    protocol: str
    name: str
    reason: str


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Cost of fitting one model for one protocol."""

    protocol: str
    model: str
    cost: Cost


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of the whole fit went; tasks run side by side, so they add up to more than the fit."""

    protocol: str
    label: str
    runs: int
    seconds: float


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it ran."""

    cpu: str
    cores: int
    memory_gb: float | None
    python: str
    libraries: dict[str, str]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, code version, machine and time of the run."""

    command: str
    part: str
    seed: int
    quick: bool
    commit: str
    """Commit of the code, with ``+`` if files differ from it; empty outside a checkout."""
    made: str
    machine: Machine


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one run found."""

    about: About
    lists: list[ListsResult]
    likes: list[LikesResult]
    fits: list[Fit]
    tasks: list[Task]
    skipped: list[Skipped]


def to_json(results: Results) -> bytes:
    """Indented JSON with a line break at the end."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"


def read(path: Path) -> Results:
    """The results of a ``report.json``.

    Raises:
        DataError: there is none, or it is no such file.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        raise DataError(
            f"{path}: the results cannot be read: {error}", hint="gars evaluate --report DIR writes them"
        ) from error
    except msgspec.MsgspecError as error:
        raise DataError(
            f"{path}: is not a report.json of this version: {error}", hint="gars evaluate --report DIR writes one"
        ) from error
