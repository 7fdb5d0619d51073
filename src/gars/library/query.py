"""Input of the features, assembled in one place for training and serving."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gars.domain.candidates import Candidates
from gars.domain.features import gaussian_process, item
from gars.domain.features.query import Query
from gars.domain.features.taste import Prior, Taste, taste_of
from gars.domain.history import History
from gars.domain.item_table import ItemTable
from gars.kernels import neighbours
from gars.kernels.item_features import Records
from gars.ranking.gaussian_process import GaussianProcess
from gars.retrieval.large import StageOne
from gars.retrieval.retriever import KNN


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """The models that features come from, fitted on the same users."""

    retriever: StageOne
    gaussian_process: GaussianProcess | None
    """``None``: the data have no ratings."""
    prior: Prior
    _records: Records = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_records", item.records_of(self.retriever.items, self.prior))

    def query(self, history: History, found: Candidates) -> Query:
        """A user and their candidates as the features read them."""
        taste = taste_of(history, self.retriever.items, self.prior)
        return Query(
            items=self.retriever.items,
            prior=self.prior,
            records=self._records,
            taste=taste,
            candidates=found.rows,
            channel_scores=found.channel_scores,
            strongest=found.strongest,
            supporters=found.supporters,
            evidence=_evidence(self.retriever, taste, found.rows),
            gaussian_process=np.zeros((len(found), len(gaussian_process.NAMES)), np.float32)
            if self.gaussian_process is None
            else self.gaussian_process.predict(taste.rated_rows, taste.ratings, found.rows),
        )


def taste_profile(query: Query) -> NDArray[np.float32]:
    """The user's genres: share of the list above the usual, and like rate above their own. → (2g,)"""
    return profile_of(query.taste, query.items)


def profile_of(taste: Taste, items: ItemTable) -> NDArray[np.float32]:
    """The same from the taste alone. → (2g,)"""
    return np.concatenate([taste.genre_share - items.genre_shares, taste.genre_like_gap])


def _evidence(retriever: StageOne, taste: Taste, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum the user's ratings over titles co-watched with each candidate (see ``Query.evidence``). → (4, m)"""
    weights = np.empty((2, len(taste.ratings)), np.float32)
    weights[0], weights[1] = taste.liking, taste.ratings - np.float32(taste.rating_mean)
    evidence = np.zeros((4, len(rows)))
    lists, at = retriever.channel(KNN).lists(taste.rated_rows)
    neighbours.neighbour_statistics(lists, at, weights, _places_of(rows, len(retriever.items)), evidence)
    return evidence


def _places_of(wanted: NDArray[np.int64], n: int) -> NDArray[np.int32]:
    """Where each of n items is among the wanted ones (m,), m = not wanted. → (n,)"""
    place = np.full(n, len(wanted), np.int32)
    place[wanted] = np.arange(len(wanted), dtype=np.int32)
    return place
