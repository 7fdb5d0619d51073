"""Interfaces of the two stages, and an engine whose stages run in processes of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.delegating_engine import DelegatingEngine
from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain.candidates import Candidates, Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History
from gars.runtime.stage_times import stage


@runtime_checkable
class TwoStages(Protocol):
    """Optional part of an ``Engine`` whose stages can be called separately.

    ``rank_found(history, retrieve(history, want=request.end), request)`` is ``recommend_history(history, request)``.
    """

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Candidates:
        """Run the retrieval stage: return enough candidates for a list of ``want`` titles."""
        ...

    def rank_found(self, history: History, found: Candidates, request: ListRequest) -> list[Recommendation]:
        """Run the ranking stage: return the requested ranks of the candidates."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates, and the version of the model whose rows they refer to."""

    model_version: str
    candidates: Candidates


class RecallService(Protocol):
    """The retrieval stage in another process. Every call raises ``StageError`` if it does not answer in time."""

    @property
    def problem(self) -> StageError | None:
        """Error of an address that has not answered since; ``None`` if there is none."""

    def retrieve(self, history: History, *, want: int, filters: Filters, model_version: str) -> Found:
        """Return enough candidates of a model for a list of ``want`` titles."""
        ...

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Return ids in the order of the retrieval stage, best first. → (≤ k,)"""
        ...

    def close(self) -> None:
        """Close connections; a second call does nothing."""
        ...


class RankService(Protocol):
    """The ranking stage in another process. Every call raises ``StageError`` if it does not answer in time."""

    @property
    def problem(self) -> StageError | None:
        """Error of an address that has not answered since; ``None`` if there is none."""

    def rank(self, history: History, found: Found, request: ListRequest) -> list[Recommendation]:
        """Return the requested ranks; raises ``StageError`` also if another model serves."""
        ...

    def close(self) -> None:
        """Close connections; a second call does nothing."""
        ...


def two_stages(engine: Engine) -> TwoStages:
    """Return the engine if its stages can be called separately; raises ``InvalidInputError`` if not."""
    if not isinstance(engine, TwoStages):
        raise InvalidInputError(
            f"the stages of {type(engine).__name__} cannot be had one at a time",
            hint="leave GARS_RECALL and GARS_RANK empty",
        )
    return engine


def check_version(serving: str, model_version: str) -> None:
    """Raise ``StageError`` if candidates are of another model: their rows would mean other anime."""
    if model_version != serving:
        raise StageError(
            f"the candidates are of model {model_version}, and {serving} serves here",
            hint="they agree again once each has taken up the promoted model: gars model list",
        )


class StagedEngine(DelegatingEngine):
    """Makes lists by the stage services that are configured; all other calls go to ``local``."""

    def __init__(self, local: Engine, *, recall: RecallService | None, rank: RankService | None) -> None:
        super().__init__(local)
        self._stages = two_stages(local)
        self._recall = recall
        self._rank = rank

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Return the list that ``local`` would make; raises ``StageError`` while a stage is away."""
        with stage("retrieval"):
            if self._recall is None:
                found = Found(self.version, self._stages.retrieve(history, want=request.end, filters=request.filters))
            else:
                found = self._recall.retrieve(
                    history, want=request.end, filters=request.filters, model_version=self.version
                )
        check_version(self.version, found.model_version)
        if self._rank is None:
            return self._stages.rank_found(history, found.candidates, request)
        with stage("ranking"):
            return self._rank.rank(history, found, request)

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Run the retrieval stage alone. → (≤ k,)"""
        if self._recall is None:
            return self._local.retrieve_ids(history, k=k, filters=filters)
        with stage("retrieval"):
            return self._recall.retrieve_ids(history, k=k, filters=filters)
