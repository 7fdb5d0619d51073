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
from gars.domain.top_k import argsort_descending, top_k
from gars.kernels.neighbours import CSR
from gars.kernels.pools import Channels, Lists, choose_pools
from gars.kernels.spectral_filter import filter_scores
from gars.retrieval import stacked_neighbours
from gars.retrieval.item_to_item import Channel, ItemToItem, no_edges
from gars.retrieval.large_config import LargeConfig
from gars.retrieval.retriever import SESSION_CANDIDATES, Retriever
from gars.retrieval.spectral import Spectral
from gars.retrieval.stacked_neighbours import StackedNeighbours
from gars.retrieval.two_steps import both_directions

Floats = NDArray[np.float32]

WHOLE = ("user_knn", "popularity", "spectral")
"""The last channels in order: those that are no sum over item neighbours."""
_NONE = np.empty(0, np.int64)
_TRACE = np.float32(1e-6)
"""Weight of popularity where all other scores are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class LargeRetriever:
    """The fitted channels over one large catalogue."""

    items: ItemTable
    channels: tuple[Channel, ...]
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
    _sparse: Channels = field(init=False)
    _filter: tuple[Floats, Floats] = field(init=False)
    """(n, r) each: what an item adds to the user's vector, and what is multiplied with that vector."""
    _fusing: Floats = field(init=False)
    """(2, c) weights of the channels in the fused score: of users with a history, and of those without one.

    Without a history popularity decides alone: its learned weight can be negative.
    """
    _proposing: Floats = field(init=False)
    """(2, c - 1) weights of the sparse channels where the pool is chosen; popularity has a trace of weight at least."""

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "_stacked", stacked_neighbours.stack(self.channels, len(self.items)))
        users, of_items = _similarity_lists(self.lists, self.config.similar_users_power)
        set_(self, "_sparse", Channels(self._stacked.lists, of_items, users, self.popularity))
        set_(self, "_filter", (np.ascontiguousarray(self.spectral.source), np.ascontiguousarray(self.spectral.target)))
        weights = [self.config.weights.get(name, 0.0) for name in self.channel_names]
        fusing = np.array([weights, [name == "popularity" for name in self.channel_names]], np.float32)
        proposing = np.ones((2, len(weights) - 1), np.float32)
        proposing[0] = fusing[0, :-1]
        proposing[0, -1] += _TRACE
        set_(self, "_fusing", fusing)
        set_(self, "_proposing", proposing)

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names in the order of score columns."""
        return (*(channel.name for channel in self.channels), *WHOLE)

    def channel(self, name: str) -> Channel:
        """One neighbourhood channel by name; without entries if it was not fitted."""
        found = (channel for channel in self.channels if channel.name == name)
        return next(found, ItemToItem(name, no_edges(len(self.items))))

    def scores(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Scaled score of every item by every channel, for items (h,) of weights (h,). → (c, n)"""
        return self._of(rows, weights, np.arange(len(self.items)))

    def fuse(self, scores: Floats, *, cold: bool) -> Floats:
        """One score from the channels' (c, m); without a history popularity alone. → (m,)"""
        fused: Floats = self._fused(scores[None], np.array([cold]))[0]
        return fused

    def best(self, lists: Lists, content: NDArray[np.bool_], k: int, *, want: int) -> NDArray[np.int64]:
        """The first k rows of ``candidates(per_channel=want)`` of b users, best first. → (b, k), -1 pads

        The fast path of many users. ``content`` (n,) are the items that may be recommended to all.
        """
        pools, scores = self._pools(lists, content, want, is_filtered=bool(self._fusing[:, -1].any()))
        fused = np.where(pools >= 0, self._fused(scores, np.diff(lists.starts) == 0), -np.inf)
        return np.take_along_axis(pools, argsort_descending(fused)[:, :k], axis=1)

    def unweighted_pool(
        self, rows: NDArray[np.int64], weights: Floats, allowed: NDArray[np.bool_], want: int
    ) -> tuple[NDArray[np.int64], Floats]:
        """The best items by the sum of scaled sparse scores, ascending, and all their scores. → (m,), (c, m)

        What the weights of the channels are learned from, since it does not depend on them.
        """
        alike = np.ones((2, len(self.channel_names) - 1), np.float32)
        alike[:, -1] = _TRACE  # else the popular items, which score high for every user, would fill the pool
        pools, scores = self._pools(_list_of_one(rows, weights), allowed, want, proposing=alike)
        pool = pools[0][pools[0] >= 0]
        return pool, scores[0, :, : len(pool)]

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
        pool, scores = self._pool(rows, weights, allowed, per_channel, session)
        fused = self.fuse(scores, cold=not len(rows))
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
        allowed = np.ones(len(self.items), np.bool_)
        allowed[rows] = False
        pools, scores = self._pools(_list_of_one(rows, weights), allowed, 0, wanted=wanted)
        return scores[0, :, pools.shape[1] :]

    def _pool(
        self,
        rows: NDArray[np.int64],
        weights: Floats,
        allowed: NDArray[np.bool_],
        want: int,
        session: Floats | None = None,
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return the pool with the items that ``session`` proposes, ascending, and scaled scores. → (m,), (c, m)"""
        near = _NONE
        if session is not None:
            near = top_k(np.where(allowed & (session > 0), session, -np.inf), self.items.anime_ids, SESSION_CANDIDATES)
        pools, scores = self._pools(_list_of_one(rows, weights), allowed, want, wanted=near)
        found = np.append(pools[0], near)
        items, first = np.unique(found, return_index=True)
        first = first[items >= 0]
        return found[first], scores[0][:, first]

    def _pools(
        self,
        lists: Lists,
        content: NDArray[np.bool_],
        want: int,
        *,
        wanted: NDArray[np.int64] = _NONE,
        proposing: Floats | None = None,
        is_filtered: bool = True,
    ) -> tuple[NDArray[np.int64], Floats]:
        """Choose the pools of b users by the weights ``proposing``, and scale their scores and those of w wanted items.

        → (b, m), -1 pads, and (b, c, m + w), with m = max(want, config.pool); the filter's scores are 0 without
        ``is_filtered``
        """
        b, c, m = len(lists.starts) - 1, len(self.channel_names), max(want, self.config.pool)
        pools, sparse = np.empty((b, m), np.int64), np.empty((b, c - 1, m + len(wanted)), np.float32)
        weights = self._proposing if proposing is None else proposing
        choose_pools(self._sparse, weights, lists, content, self.config.similar_users, wanted, pools, sparse)
        filtered = np.zeros((b, m + len(wanted)), np.float32)
        if is_filtered:
            filter_scores(*self._filter, lists, pools, wanted, filtered)
        return pools, np.concatenate([sparse, filtered[:, None]], axis=1)

    def _fused(self, scores: Floats, cold: NDArray[np.bool_]) -> Floats:
        """Add the scores of b users (b, c, m) by the weights of those with or without a history. → (b, m)"""
        total = np.zeros(scores[:, 0].shape, np.float32)
        for channel, weights in enumerate(self._fusing[cold.astype(np.int64)].T):
            total += weights[:, None] * scores[:, channel]
        return total

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


def _list_of_one(rows: NDArray[np.int64], weights: Floats) -> Lists:
    """The history of one user, who has no hidden items."""
    return Lists(np.array([0, len(rows)]), rows, np.asarray(weights, np.float32), np.zeros(2, np.int64), _NONE)


def _similarity_lists(lists: sp.csr_array, power: float) -> tuple[CSR, CSR]:
    """Return the items of each user, and the users of each item weighted for the similarity of users."""
    users, of_items = both_directions(lists, 1.0)
    degree = np.maximum(1, np.diff(of_items.indptr)).astype(np.float32)
    weights = of_items.data * np.repeat(degree ** np.float32(-2 * power), np.diff(of_items.indptr))
    return users, CSR(of_items.indptr, of_items.indices, weights.astype(np.float32))
