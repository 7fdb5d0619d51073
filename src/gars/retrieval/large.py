"""Stage one over a large catalogue: sparse channels propose a pool, a spectral filter joins in for the pool alone.

The interface is that of ``retriever.Retriever``. No channel costs items² memory or items³ time, and a request
multiplies no matrix of all items: sums over neighbour lists, lists of similar users, then one product of the pool's
vectors. Each channel is divided by the largest score of the user among allowed items; weights, powers and sizes are
those that ``large_fit`` found on held-out entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.candidates import Candidates
from gars.domain.item_table import ItemTable
from gars.domain.top_k import argsort_descending
from gars.kernels import neighbours
from gars.kernels.neighbours import CSR
from gars.kernels.top_k import SMALLEST_SCALE, top_k_of_sum
from gars.kernels.user_knn import add_neighbour_lists
from gars.retrieval import stacked_neighbours
from gars.retrieval.compact import csr_of
from gars.retrieval.item_to_item import ItemToItem, no_edges
from gars.retrieval.large_config import LargeConfig
from gars.retrieval.retriever import SESSION_CANDIDATES, Retriever
from gars.retrieval.spectral import Spectral
from gars.retrieval.stacked_neighbours import StackedNeighbours
from gars.retrieval.two_steps import both_directions

Floats = NDArray[np.float32]

WHOLE = ("user_knn", "popularity", "spectral")
"""The last channels in order: those that are no sum over item neighbours."""
_TRACE = np.float32(1e-6)
"""Weight of popularity where all other scores are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class LargeRetriever:
    """The fitted channels over one large catalogue."""

    items: ItemTable
    channels: tuple[ItemToItem, ...]
    """The channels whose score is a sum over the user's items."""
    spectral: Spectral
    lists: sp.csr_array
    """(u, n) weights of the training users, for the similarity of users."""
    popularity: Floats
    """(n,)"""
    vectors: Floats
    """(n, dim) item embeddings of unit length; zeros for items on no list."""
    config: LargeConfig
    _stacked: StackedNeighbours = field(init=False)
    _users: CSR = field(init=False)
    _of_items: CSR = field(init=False)
    _weights: Floats = field(init=False)
    """(c,) of the channels in the fused order"""
    _proposing: Floats = field(init=False)
    """(c - 1,) of the sparse channels where the pool is chosen; popularity has a trace of weight at least."""

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "_stacked", stacked_neighbours.stack(self.channels, len(self.items)))
        users, of_items = _similarity_lists(self.lists, self.config.similar_users_power)
        set_(self, "_users", users)
        set_(self, "_of_items", of_items)
        weights = np.array([self.config.weights.get(name, 0.0) for name in self.channel_names], np.float32)
        set_(self, "_weights", weights)
        traces = np.zeros(len(weights) - 1, np.float32)
        traces[-1] = _TRACE
        set_(self, "_proposing", weights[:-1] + traces)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names in the order of score columns."""
        return (*(channel.name for channel in self.channels), *WHOLE)

    def channel(self, name: str) -> ItemToItem:
        """One neighbourhood channel by name; without entries if it was not fitted."""
        found = (channel for channel in self.channels if channel.name == name)
        return next(found, ItemToItem(name, no_edges(len(self.items))))

    def sparse_scores(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Scores of every item by every channel but the spectral filter. (h,), (h,) → (c - 1, n)"""
        e, n = len(self.channels), len(self.items)
        scores = np.zeros((e + 2, n), np.float32)
        neighbours.weighted_sum(csr_of(self._stacked.matrix), rows, weights, scores[:e].reshape(-1))
        add_neighbour_lists(self._of_items, self._users, rows, weights, self.config.similar_users, scores[e])
        scores[e + 1] = self.popularity
        return scores

    def scores(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Scaled score of every item by every channel, for items (h,) of weights (h,). → (c, n)"""
        return self._of(rows, weights, np.arange(len(self.items)))

    def fuse(self, scores: Floats, *, cold: bool) -> Floats:
        """One score from the channels' (c, m); without a history popularity alone. → (m,)"""
        if cold:
            return np.asarray(scores[self.channel_names.index("popularity")], np.float32)
        return np.asarray(self._weights @ scores, np.float32)

    def best(
        self, rows: NDArray[np.int64], weights: Floats, allowed: NDArray[np.bool_], k: int, *, want: int
    ) -> NDArray[np.int64]:
        """The first k rows of ``candidates(per_channel=want)``, best first: the fast path of many users. → (≤ k,)"""
        pool, _, fused = self._ranked_pool(rows, weights, allowed, want)
        return pool[argsort_descending(fused)[:k]]

    def unweighted_pool(
        self, rows: NDArray[np.int64], weights: Floats, allowed: NDArray[np.bool_], want: int
    ) -> tuple[NDArray[np.int64], Floats]:
        """The best items by the sum of scaled sparse scores, ascending, and all their scores. → (m,), (c, m)

        What the weights of the channels are learned from, since it does not depend on them.
        """
        sparse = self.sparse_scores(rows, weights)
        places, scale = np.empty(want, np.int64), np.empty(len(sparse), np.float32)
        alike = np.ones(len(sparse), np.float32)
        alike[-1] = _TRACE  # else the popular items, which score high for every user, would fill the pool
        pool = places[: top_k_of_sum(sparse, alike, allowed, scale, places)]
        filtered = self.spectral.target[pool] @ self.spectral.user(rows, weights)
        return pool, self._stack(sparse[:, pool], scale, filtered, filtered)

    def candidates(
        self,
        rows: NDArray[np.int64],
        weights: Floats,
        allowed: NDArray[np.bool_],
        *,
        per_channel: int,
        session: Floats | None = None,
        extra: NDArray[np.int64] | None = None,
    ) -> Candidates:
        """The pool of the sparse channels, at least ``per_channel`` allowed items, best fused score first.

        ``session`` (n,) may propose items near the latest clicks. ``extra`` rows need not be proposed; they come last,
        in the order given.
        """
        pool, scores, fused = self._ranked_pool(rows, weights, allowed, per_channel, session)
        order = argsort_descending(fused)
        pool, scores, fused = pool[order], scores[:, order], fused[order]
        by = scores > 0
        if extra is not None:
            others = extra[~np.isin(extra, pool)]
            added = self.scored(rows, weights, others)
            pool, fused = np.append(pool, others), np.append(fused, added.fused)
            scores = np.hstack([scores, added.channel_scores.T])
            by = np.hstack([by, added.proposed[:, :-1].T])
        return self._as_candidates(pool, scores, fused, by)

    def scored(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Candidates:
        """Given items as candidates for items (h,) of weights (h,), in the order given; none was proposed."""
        scores = self._of(rows, weights, wanted)
        return self._as_candidates(wanted, scores, self.fuse(scores, cold=not len(rows)), np.zeros(scores.shape, bool))

    def contributions(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Floats:
        """Return the contribution of each of a user's items (h,) of weights (h,) to the wanted items (m,). → (m, h)"""
        return self._stacked.contributions(rows, weights, wanted, np.ones(len(self.channels), np.float32))

    def nearness(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Score the similarity of every item to some, 1 = the best match of one of weight 1. (q,), (q,) → (n,)"""
        return self._stacked.nearness(rows, weights)

    def _of(self, rows: NDArray[np.int64], weights: Floats, wanted: NDArray[np.int64]) -> Floats:
        """Scaled scores (c, m) of the wanted items, in the scale of a request that allows all but the user's items."""
        sparse = self.sparse_scores(rows, weights)
        allowed = np.ones(len(self.items), np.bool_)
        allowed[rows] = False
        pool, scale = self._pool(sparse, allowed, self.config.pool, cold=not len(rows))
        user = self.spectral.user(rows, weights)
        within, filtered = self.spectral.target[pool] @ user, self.spectral.target[wanted] @ user
        return self._stack(sparse[:, wanted], scale, filtered, within)

    def _pool(
        self, sparse: Floats, allowed: NDArray[np.bool_], want: int, *, cold: bool
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the best items by the sparse channels, ascending, and the largest score of each channel (c - 1,).

        A user without a history (``cold``) gets the popular ones: the learned weight of popularity can be negative.
        """
        places, scale = np.empty(want, np.int64), np.empty(len(sparse), np.float32)
        weights = np.ones_like(self._proposing) if cold else self._proposing
        found = top_k_of_sum(sparse, weights, allowed, scale, places)
        return places[:found], scale

    def _ranked_pool(
        self,
        rows: NDArray[np.int64],
        weights: Floats,
        allowed: NDArray[np.bool_],
        want: int,
        session: Floats | None = None,
    ) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Items of the pool, ascending, their scaled scores (c, m) and fused score."""
        sparse = self.sparse_scores(rows, weights)
        pool, scale = self._pool(sparse, allowed, max(want, self.config.pool), cold=not len(rows))
        user = self.spectral.user(rows, weights)
        within = filtered = self.spectral.target[pool] @ user
        if session is not None:
            near = allowed & (session > 0)
            places = np.empty(SESSION_CANDIDATES, np.int64)
            found = top_k_of_sum(session[None], np.ones(1, np.float32), near, np.empty(1, np.float32), places)
            pool = np.union1d(pool, places[:found])
            filtered = self.spectral.target[pool] @ user
        scores = self._stack(sparse[:, pool], scale, filtered, within)
        return pool, scores, self.fuse(scores, cold=not len(rows))

    @staticmethod
    def _stack(sparse: Floats, scale: Floats, filtered: Floats, within: Floats) -> Floats:
        """Sparse scores (c - 1, m) scaled, and below them the spectral filter's (m,) in the scale of the pool's."""
        scores = np.empty((len(sparse) + 1, sparse.shape[1]), np.float32)
        np.divide(sparse, scale[:, None], out=scores[:-1])
        np.divide(filtered, max(float(np.abs(within).max(initial=0)), float(SMALLEST_SCALE)), out=scores[-1])
        return scores

    def _as_candidates(
        self, wanted: NDArray[np.int64], scores: Floats, fused: Floats, by: NDArray[np.bool_]
    ) -> Candidates:
        terms = np.zeros((len(wanted), len(self.channels)), np.float32)
        proposed = np.vstack([by, np.zeros((1, len(wanted)), np.bool_)])
        return Candidates(
            rows=wanted,
            channel_scores=scores.T,
            proposed=proposed.T,
            strongest=terms,
            supporters=terms,
            fused=fused,
            channel_names=(*self.channel_names, "session"),
        )


StageOne = Retriever | LargeRetriever


def _similarity_lists(lists: sp.csr_array, power: float) -> tuple[CSR, CSR]:
    """Return the items of each user, and the users of each item weighted for the similarity of users."""
    users, of_items = both_directions(lists, 1.0)
    degree = np.maximum(1, np.diff(of_items.indptr)).astype(np.float32)
    weights = of_items.data * np.repeat(degree ** np.float32(-2 * power), np.diff(of_items.indptr))
    return users, CSR(of_items.indptr, of_items.indices, weights.astype(np.float32))
