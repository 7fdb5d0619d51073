"""The two stages apart: what each needs of the other, and an engine whose stages run in processes of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gars.application.engine import Engine, Recommendation
from gars.application.engine_around import EngineAround
from gars.application.stage_times import stage
from gars.domain.candidates import Candidates, Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History


@runtime_checkable
class TwoStages(Protocol):
    """What an ``Engine`` offers besides where its stages can be had one at a time.

    ``rank_found(history, retrieve(history, want=offset + k))`` is ``recommend_history(history)``.
    """

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Candidates:
        """Stage one: enough candidates for a list of ``want`` places."""
        ...

    def rank_found(
        self, history: History, found: Candidates, *, k: int, offset: int = 0, filters: Filters
    ) -> list[Recommendation]:
        """Stage two: places ``offset`` … ``offset + k`` of what stage one found."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates, and the model whose rows they are of."""

    model_version: str
    candidates: Candidates


class RecallService(Protocol):
    """Stage one in another process. Every call raises ``StageError`` if it does not answer in time."""

    @property
    def problem(self) -> StageError | None:
        """Why the latest call failed; ``None`` after one that did not."""

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Found:
        """Enough candidates for a list of ``want`` places."""
        ...

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Ids in the order of stage one, best first. → (≤ k,)"""
        ...

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        ...


class RankService(Protocol):
    """Stage two in another process. Every call raises ``StageError`` if it does not answer in time."""

    @property
    def problem(self) -> StageError | None:
        """Why the latest call failed; ``None`` after one that did not."""

    def rank(self, history: History, found: Found, *, k: int, offset: int, filters: Filters) -> list[Recommendation]:
        """Places ``offset`` … ``offset + k``; raises ``StageError`` also where another model serves."""
        ...

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        ...


def two_stages(engine: Engine) -> TwoStages:
    """The engine, if its stages can be had one at a time; raises ``InvalidInputError`` if not."""
    if not isinstance(engine, TwoStages):
        raise InvalidInputError(
            f"the stages of {type(engine).__name__} cannot be had one at a time",
            hint="leave GARS_RECALL and GARS_RANK empty",
        )
    return engine


def check_version(serving: str, found: Found) -> None:
    """Raise ``StageError`` if candidates are of another model: their rows would mean other anime."""
    if found.model_version != serving:
        raise StageError(
            f"the candidates are of model {found.model_version}, and {serving} serves here",
            hint="they agree again once each has taken up the promoted model: gars model list",
        )


class StagedEngine(EngineAround):
    """Lists are made by the services there are, everything else by ``local``."""

    def __init__(self, local: Engine, *, recall: RecallService | None, rank: RankService | None) -> None:
        super().__init__(local)
        self._stages = two_stages(local)
        self._recall = recall
        self._rank = rank

    def recommend_history(self, history: History, *, k: int, offset: int = 0, filters: Filters) -> list[Recommendation]:
        """The same list as ``local`` makes; raises ``StageError`` while a stage is away."""
        with stage("retrieval"):
            if self._recall is None:
                found = Found(self.version, self._stages.retrieve(history, want=offset + k, filters=filters))
            else:
                found = self._recall.retrieve(history, want=offset + k, filters=filters)
        check_version(self.version, found)
        if self._rank is None:
            return self._stages.rank_found(history, found.candidates, k=k, offset=offset, filters=filters)
        with stage("ranking"):
            return self._rank.rank(history, found, k=k, offset=offset, filters=filters)

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Stage one alone. → (≤ k,)"""
        if self._recall is None:
            return self._local.retrieve_ids(history, k=k, filters=filters)
        with stage("retrieval"):
            return self._recall.retrieve_ids(history, k=k, filters=filters)
