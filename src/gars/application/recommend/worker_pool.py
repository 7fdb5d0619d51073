"""Lists made in other processes of this machine: one interpreter hardly uses more than one core."""

from __future__ import annotations

from typing import Protocol

from gars.application.recommend.delegating_engine import DelegatingEngine
from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.list_messages import ListMade
from gars.domain.candidates import Filters
from gars.domain.errors import StageError
from gars.domain.history import History
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

    def make(self, history: History, *, k: int, offset: int, filters: Filters) -> ListMade | None:
        """Return ranks ``offset`` … ``offset + k``; ``None`` if no process is running, or it ended during the call.

        Raises:
            InvalidInputError: the filters cannot be used.
            StageError: it did not answer in time, or the model failed.
        """
        ...

    def close(self) -> None:
        """Stop the processes after their current lists; ``make`` then returns ``None``. A second call does nothing."""
        ...


class WorkerPoolEngine(DelegatingEngine):
    """Makes lists by ``makers``, or by ``local`` while none are running; all other calls go to ``local``."""

    def __init__(self, local: Engine, makers: WorkerPool) -> None:
        super().__init__(local)
        self._makers = makers

    def recommend_history(self, history: History, *, k: int, offset: int = 0, filters: Filters) -> list[Recommendation]:
        """Return the list that ``local`` would make, with reasons as JSON; raises as ``WorkerPool.make``."""
        made = self._makers.make(history, k=k, offset=offset, filters=filters)
        if made is None:
            return self._local.recommend_history(history, k=k, offset=offset, filters=filters)
        times = measured()
        if times is not None:
            times.add_all(StageTimes(made.milliseconds))
        return made.items
