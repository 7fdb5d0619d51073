"""Lists made in other processes of this machine: one interpreter hardly uses more than one core."""

from __future__ import annotations

from typing import Protocol

from gars.application.recommend.delegating_engine import DelegatingEngine
from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.list_messages import ListMade
from gars.application.recommend.list_request import ListRequest
from gars.domain.errors import StageError
from gars.domain.history import History
from gars.runtime import tracing
from gars.runtime.stage_times import StageTimes, measured


class WorkerPool(Protocol):
    """Processes that hold the same model. Safe to call from many threads."""

    @property
    def problem(self) -> StageError | None:
        """Error of a missing process; ``None`` while all are running."""

    @property
    def alive(self) -> int:
        """Number of running processes."""

    @property
    def restarts(self) -> int:
        """Number of processes restarted."""

    def make(self, history: History, request: ListRequest) -> ListMade | None:
        """Return the requested ranks; ``None`` if no process is running, or it ended during the call.

        Raises:
            InvalidInputError: the filters cannot be used.
            StageError: it did not answer in time, or the model failed.
        """
        ...

    def close(self) -> None:
        """Stop the processes after their current lists; ``make`` then returns ``None``. A second call does nothing."""
        ...


class WorkerPoolEngine(DelegatingEngine):
    """Makes lists in the processes of ``pool``; by ``local`` while none are running, as for all other calls."""

    def __init__(self, local: Engine, pool: WorkerPool) -> None:
        super().__init__(local)
        self._pool = pool

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Return the list that ``local`` would make, with reasons as JSON; raises as ``WorkerPool.make``."""
        with tracing.spanning("list process"):
            made = self._pool.make(history, request)
        if made is None:
            return self._local.recommend_history(history, request)
        times = measured()
        if times is not None:
            times.add_all(StageTimes(made.milliseconds))
        return made.items
