"""All neighbourhood channels in one sparse matrix: one look-up of a user's titles serves every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.kernels import neighbours
from gars.kernels.top_contributions import add_relative
from gars.retrieval.compact import compact, csr_of
from gars.retrieval.item_to_item import ItemToItem

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelScores:
    """Scores of n items by e channels, and the terms they are sums of."""

    columns: Floats
    """(e · n, N_COLUMNS)"""
    n: int

    @property
    def totals(self) -> Floats:
        """The scores. → (e, n)"""
        return self.columns[:, neighbours.TOTAL].reshape(-1, self.n)

    def terms_of(self, items: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the largest term and log(1 + positive terms) of some items (m,). → (e, m), (e, m)"""
        e = len(self.columns) // max(1, self.n)
        largest, positive = np.empty((2, e, len(items)), np.float32)
        neighbours.select_terms(self.columns, self.n, items, largest, positive)
        return largest, np.log1p(positive)


@dataclass(frozen=True, slots=True, eq=False)
class StackedNeighbours:
    """The neighbour lists of e channels over n items, one after the other in each row."""

    matrix: sp.csr_array
    """(n, e · n); column ``channel · n + item``."""
    lengths: NDArray[np.int64]
    """(n, e) stored entries of each item in each channel."""
    largest: Floats
    """(n, e) largest weight of each item in each channel, 1 where none is above 0."""

    def score(self, rows: NDArray[np.int64], weights: Floats) -> ChannelScores:
        """Score every item by every channel, for a user's titles (h,) of weights (h,)."""
        n, e = self.lengths.shape
        sums = np.zeros((e * n, neighbours.N_COLUMNS), np.float32)
        neighbours.sum_terms(csr_of(self.matrix), rows, weights, sums)
        return ChannelScores(sums, n)

    def contributions(
        self, rows: NDArray[np.int64], history_weights: Floats, items: NDArray[np.int64], channel_weights: Floats
    ) -> Floats:
        """Return the contribution of each of a user's titles (h,) to the scores of some items (m,). → (m, h)

        In each channel it is the title's term relative to the sum of absolute terms; the channels are weighted by
        ``channel_weights`` (e,).
        """
        e = int(np.flatnonzero(channel_weights).max(initial=-1)) + 1  # later channels have no weight
        terms = np.zeros((e, len(items), len(rows)), np.float32)
        neighbours.gather_entries(csr_of(self.matrix), self.lengths, rows, items, terms)
        found = np.zeros((len(items), len(rows)), np.float32)
        if len(rows):
            add_relative(terms, history_weights, channel_weights[:e], found)
        return found

    def nearness(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Score the similarity of every item to some titles (q,) of weights (q,). → (n,)

        1 is the best match of a title of weight 1: each title's neighbours are scaled to at most 1 in each channel, so
        that a popular title does not dominate the others.
        """
        n, e = self.lengths.shape
        totals = np.empty((e, n), np.float32)
        relative = (weights[:, None] / self.largest[rows]).astype(np.float32)
        neighbours.sum_by_channel(csr_of(self.matrix), self.lengths, rows, relative, totals)
        return np.asarray(np.maximum(totals, 0).sum(axis=0) / max(1, e), np.float32)


def stack(channels: Sequence[ItemToItem], n: int) -> StackedNeighbours:
    """Stack the neighbour lists of channels over n items."""
    if not channels:
        empty = sp.csr_array(np.zeros((n, 0), np.float32))
        return StackedNeighbours(compact(empty), np.zeros((n, 0), np.int64), np.ones((n, 0), np.float32))
    largest = np.stack([channel.weights.max(axis=1).toarray().ravel() for channel in channels], axis=1)
    return StackedNeighbours(
        compact(sp.csr_array(sp.hstack([channel.weights for channel in channels], format="csr", dtype=np.float32))),
        np.stack([np.diff(channel.weights.indptr) for channel in channels], axis=1).astype(np.int64),
        np.where(largest > 0, largest, 1).astype(np.float32),
    )
