"""Lists made in other processes of this machine: one interpreter hardly uses more than one core."""

from __future__ import annotations

from typing import Protocol

from gars.application.engine import Engine, Recommendation
from gars.application.engine_around import EngineAround
from gars.application.list_messages import ListMade
from gars.application.stage_times import StageTimes, measured
from gars.domain.candidates import Filters
from gars.domain.errors import StageError
from gars.domain.history import History


class ListMakers(Protocol):
    """Processes that hold the same model. Safe to call from many threads."""

    @property
    def problem(self) -> StageError | None:
        """Why one is missing; ``None`` while all are at work."""

    @property
    def alive(self) -> int:
        """How many are at work."""

    @property
    def restarts(self) -> int:
        """How often one was started in place of another."""

    def make(self, history: History, *, k: int, offset: int, filters: Filters) -> ListMade | None:
        """Places ``offset`` … ``offset + k``; ``None``: there is none to ask, or it ended while it was asked.

        Raises:
            InvalidInputError: the filters cannot be used.
            StageError: it did not answer in time, or the model failed.
        """
        ...

    def close(self) -> None:
        """End them after what they are making; ``make`` is ``None`` from now on. A second call does nothing."""
        ...


class EngineOfMakers(EngineAround):
    """Lists are made by ``makers``, or by ``local`` while there are none; everything else is ``local``'s."""

    def __init__(self, local: Engine, makers: ListMakers) -> None:
        super().__init__(local)
        self._makers = makers

    def recommend_history(self, history: History, *, k: int, offset: int = 0, filters: Filters) -> list[Recommendation]:
        """The same list as ``local`` makes, its reasons as JSON; raises as ``ListMakers.make``."""
        made = self._makers.make(history, k=k, offset=offset, filters=filters)
        if made is None:
            return self._local.recommend_history(history, k=k, offset=offset, filters=filters)
        times = measured()
        if times is not None:
            times.add_all(StageTimes(made.milliseconds))
        return made.items
