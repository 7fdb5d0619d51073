"""Times of the stages of a request: measured in the stages, collected by the caller.

    with measuring() as times:
        ...                        # deeper down: with stage("retrieval"): ...
    times.milliseconds             # {"retrieval": 0.41, "features": 0.22, ...}

Outside ``measuring`` a stage costs next to nothing and is not recorded. A measurement belongs to the thread (or task)
that began it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, get_args

from gars.runtime import tracing

Stage = Literal["state", "retrieval", "features", "ranking", "rules", "reasons", "encode"]

STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
"""In the order of the request path."""


@dataclass(slots=True)
class StageTimes:
    """Stage → milliseconds, in the order in which the stages first ran. A stage that ran twice counts for both."""

    milliseconds: dict[Stage, float] = field(default_factory=dict)

    def add(self, name: Stage, milliseconds: float) -> None:
        """Add time to a stage."""
        self.milliseconds[name] = self.milliseconds.get(name, 0.0) + milliseconds

    def add_all(self, others: StageTimes) -> None:
        """Add the current times of another measurement, which may go on."""
        for name, milliseconds in others.milliseconds.copy().items():
            self.add(name, milliseconds)


def server_timing(times: Mapping[Stage, float] | Mapping[str, float]) -> str:
    """Names → milliseconds as a ``Server-Timing`` header (W3C): ``retrieval;dur=0.41, features;dur=0.22``."""
    return ", ".join([f"{name};dur={milliseconds:.3f}" for name, milliseconds in times.items()])


_measured: ContextVar[StageTimes | None] = ContextVar("stage_times", default=None)


def measured() -> StageTimes | None:
    """Return the current collector of stage times, if any."""
    return _measured.get()


@contextmanager
def measuring(times: StageTimes | None = None) -> Iterator[StageTimes]:
    """Collect the times of the stages that run inside the block."""
    times = StageTimes() if times is None else times
    token = _measured.set(times)
    try:
        yield times
    finally:
        _measured.reset(token)


class stage:  # noqa: N801  reads as a statement: with stage("retrieval"):
    """Count the block's time for a stage, also when it fails; a span if a trace is recorded.

    Stages must not be nested in each other.
    """

    __slots__ = ("_name", "_spanning", "_started", "_times")

    def __init__(self, name: Stage) -> None:
        self._name: Stage = name
        self._times: StageTimes | None = None
        self._spanning: tracing.during | None = None
        self._started = 0.0

    def __enter__(self) -> None:
        if tracing.tracer is not None:
            self._spanning = tracing.spanning(self._name)
            self._spanning.__enter__()
        self._times = _measured.get()
        if self._times is not None:
            self._started = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._times is not None:
            self._times.add(self._name, (time.perf_counter() - self._started) * 1e3)
        if self._spanning is not None:
            self._spanning.__exit__(kind, error, trace)
