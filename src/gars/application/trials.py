"""Trials of a search of settings, and the port of their observers."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from gars.application.training_log import TrainingLog
from gars.domain.metrics import Interval

Setting = Any
"""A value of a setting, as in a configuration file."""
Status = Literal["done", "failed"]
SHARES = (1 / 3, 1.0)
"""Share of the users at each rung of successive halving."""


class Trial(msgspec.Struct, frozen=True):
    """A trial at a rung."""

    number: int
    rung: int

    @property
    def share(self) -> float:
        """Its share of the users."""
        return SHARES[self.rung]

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"trial-{self.number:03}-rung-{self.rung}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a trial."""

    trial: Trial
    settings: dict[str, Setting]
    status: Status
    score: float | None = None
    metrics: dict[str, Interval] = {}
    seconds: float
    error: str = ""


class Session(Protocol):
    """Observer of one trial."""

    def curves(self, fit: str) -> TrainingLog | None:
        """Return the log of one fit."""
        ...

    def end(self, outcome: Outcome) -> None:
        """Record the outcome of the trial."""
        ...

    def stop(self) -> None:
        """Record that the trial was interrupted, and will be run again."""
        ...
