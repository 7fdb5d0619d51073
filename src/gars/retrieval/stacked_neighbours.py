"""All neighbourhood channels in one sparse matrix: one look-up of a user's titles serves every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.kernels import neighbours
from gars.kernels.neighbours import CSR, StackedLists
from gars.kernels.top_contributions import add_relative
from gars.retrieval.compact import compact, unsigned
from gars.retrieval.item_to_item import Channel

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class StackedNeighbours:
    """The neighbour lists of e channels over n items."""

    lists: StackedLists
    largest: Floats
    """(n, e) largest weight of each item in each channel, 1 where none is above 0."""

    def terms_of(self, rows: NDArray[np.int64], weights: Floats, items: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the largest term of the score of some items (m,) and log(1 + positive terms). → (e, m), (e, m)"""
        logs = _log_numbers(len(rows).bit_length())
        largest, supporters = np.empty((2, self.largest.shape[1], len(items)), np.float32)
        neighbours.select_terms(self.lists, rows, weights, items, logs, largest, supporters)
        return largest, supporters

    def contributions(
        self, rows: NDArray[np.int64], history_weights: Floats, items: NDArray[np.int64], channel_weights: Floats
    ) -> Floats:
        """Return the contribution of each of a user's titles (h,) to the scores of some items (m,). → (m, h)

        In each channel it is the title's term relative to the sum of absolute terms; the channels are weighted by
        ``channel_weights`` (e,).
        """
        e = int(np.flatnonzero(channel_weights).max(initial=-1)) + 1  # later channels have no weight
        terms = np.zeros((e, len(items), len(rows)), np.float32)
        neighbours.gather_entries(self.lists, rows, items, terms)
        found = np.zeros((len(items), len(rows)), np.float32)
        if len(rows):
            add_relative(terms, history_weights, channel_weights[:e], found)
        return found

    def nearness(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Score the similarity of every item to some titles (q,) of weights (q,). → (n,)

        1 is the best match of a title of weight 1: each title's neighbours are scaled to at most 1 in each channel, so
        that a popular title does not dominate the others.
        """
        n, e = self.largest.shape
        totals = np.empty((e, n), np.float32)
        relative = (weights[:, None] / self.largest[rows]).astype(np.float32)
        neighbours.sum_by_channel(self.lists, rows, relative, totals)
        found = np.empty(n, np.float32)
        neighbours.mean_positive(totals, found)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class StackedChannel:
    """One of stacked channels, without arrays of its own."""

    name: str
    stacked: StackedLists
    place: int
    """Its number among the stacked channels."""

    @property
    def weights(self) -> sp.csr_array:
        """(n, n) float32, copied from the lists at every call; row i holds the weights of item i."""
        starts, ends = self.stacked.starts[:, self.place], self.stacked.starts[:, self.place + 1]
        entry, _ = neighbours.entries_between(starts, ends)
        indptr = np.concatenate([[0], np.cumsum(ends - starts, dtype=np.int64)])
        n = len(starts)
        indices = self.stacked.indices[entry].astype(np.int32)
        return compact(sp.csr_array((self.stacked.data[entry], indices, indptr), shape=(n, n)))

    def lists(self, rows: NDArray[np.int64]) -> tuple[CSR, NDArray[np.int64]]:
        """See ``Channel.lists``: every list of every channel is a sparse row."""
        return CSR(
            self.stacked.starts.ravel(), self.stacked.indices, self.stacked.data
        ), rows * self._width + self.place

    @property
    def _width(self) -> int:
        return int(self.stacked.starts.shape[1])


@lru_cache(64)
def _log_numbers(bits: int) -> Floats:
    """Return log(1 + i) of the numbers i below 2^bits. → (2^bits,)"""
    return np.log1p(np.arange(1 << bits, dtype=np.float32))


def stack(channels: Sequence[Channel], n: int) -> StackedNeighbours:
    """Stack the neighbour lists of channels over n items."""
    if not channels:
        nothing = StackedLists(np.zeros((n, 1), np.int32), np.empty(0, np.uint16), np.empty(0, np.float32))
        return StackedNeighbours(nothing, np.ones((n, 0), np.float32))
    matrices = [channel.weights for channel in channels]
    largest = np.stack([matrix.max(axis=1).toarray().ravel() for matrix in matrices], axis=1)
    joined = sp.hstack(matrices, format="csr", dtype=np.float32)
    lengths = np.stack([np.diff(matrix.indptr) for matrix in matrices], axis=1)
    starts = np.zeros((n, len(channels) + 1), np.int64)
    starts[:, 1:] = lengths.cumsum(axis=1, dtype=np.int64)
    starts += joined.indptr[:-1, None]
    fits = joined.nnz <= np.iinfo(np.int32).max
    return StackedNeighbours(
        StackedLists(starts.astype(np.int32) if fits else starts, unsigned(joined.indices % n, n), joined.data),
        np.where(largest > 0, largest, 1).astype(np.float32),
    )
