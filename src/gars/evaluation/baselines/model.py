"""Interfaces of evaluated models: ranking items for a history, or predicting P(like)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gars.domain.history import History
from gars.domain.item_table import ItemTable
from gars.domain.top_k import top_k
from gars.library.engine import Engine
from gars.ranking.examples import RankingLists
from gars.retrieval.matrix import TrainingMatrix

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """Training data of a baseline: the rows the product was fitted on, and nothing else."""

    matrix: TrainingMatrix
    items: ItemTable
    """Catalogue with the statistics of the rows of ``matrix``."""
    engine: Engine
    """The product, fitted on the same rows."""
    lists: RankingLists | None
    """The ranking model's training lists; ``None`` where the data were too few for one."""
    has_ratings: bool
    seed: int

    def rated(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """User row, item row and rating of every rating. → (r,), (r,), (r,)"""
        stated = ~np.isnan(self.matrix.ratings)
        user = np.repeat(np.arange(self.matrix.n_users), np.diff(self.matrix.weights.indptr))
        return user[stated], self.matrix.weights.indices[stated].astype(np.int64), self.matrix.ratings[stated]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One user as shown to a model when lists are evaluated."""

    history: History
    rows: NDArray[np.int64]
    """(q,) item rows of the user's titles."""
    weights: Floats
    """(q,) weight of each."""
    allowed: NDArray[np.bool_]
    """(n,) what may be ranked."""


class ListModel(Protocol):
    """Ranks items for a history."""

    @property
    def name(self) -> str:
        """As the tables call it."""
        ...

    def rank(self, shown: Shown, k: int) -> NDArray[np.int64]:
        """Rows of the k best allowed items, best first. → (≤ k,)"""
        ...


class LikeModel(Protocol):
    """Predicts P(rating > 7)."""

    @property
    def name(self) -> str:
        """As the tables call it."""
        ...

    def predict(self, history: History, rows: NDArray[np.int64]) -> Floats:
        """P(rating > 7) of item rows. (m,) → (m,)"""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ByScore:
    """A list model that is a score of every item."""

    name: str
    ids: NDArray[np.int64]
    """(n,) item ids, which break ties."""
    scores: Callable[[Shown], Floats]

    def rank(self, shown: Shown, k: int) -> NDArray[np.int64]:
        """The k best by score."""
        return top_k(np.where(shown.allowed, self.scores(shown), np.float32(-np.inf)), self.ids, k)


@dataclass(frozen=True, slots=True, eq=False)
class ByRule:
    """A like model that is a function."""

    name: str
    rule: Callable[[History, NDArray[np.int64]], Floats]

    def predict(self, history: History, rows: NDArray[np.int64]) -> Floats:
        """Call the function."""
        return self.rule(history, rows)
