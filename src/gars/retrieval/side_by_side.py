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
class Heard:
    """What a user's titles say of n items in e channels, and what it is made of."""

    columns: Floats
    """(e · n, N_COLUMNS)"""
    n: int

    @property
    def totals(self) -> Floats:
        """The sums. → (e, n)"""
        return self.columns[:, neighbours.TOTAL].reshape(-1, self.n)

    def of(self, wanted: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """What the wanted items' (m,) sums are made of: largest term, log(1 + positive terms). → (e, m), (e, m)"""
        e = len(self.columns) // max(1, self.n)
        strongest, supporters = np.empty((2, e, len(wanted)), np.float32)
        neighbours.select_terms(self.columns, self.n, wanted, strongest, supporters)
        return strongest, np.log1p(supporters)


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """The neighbour lists of e channels over n items, one after the other in each row."""

    matrix: sp.csr_array
    """(n, e · n); column ``channel · n + item``."""
    lengths: NDArray[np.int64]
    """(n, e) stored entries of each item in each channel."""
    loudest: Floats
    """(n, e) largest weight of each item in each channel, 1 where there is none above 0."""

    def hear(self, rows: NDArray[np.int64], strengths: Floats) -> Heard:
        """What titles (h,) of strengths (h,) say of every item in every channel."""
        n, e = self.lengths.shape
        heard = np.zeros((e * n, neighbours.N_COLUMNS), np.float32)
        neighbours.sum_terms(csr_of(self.matrix), rows, strengths, heard)
        return Heard(heard, n)

    def said(self, rows: NDArray[np.int64], strengths: Floats, wanted: NDArray[np.int64], weights: Floats) -> Floats:
        """What each of some titles (h,) has in the sums of the wanted items (m,). → (m, h)

        In each channel its share of all that is said of the item, the channels weighted by ``weights`` (e,).
        """
        heard = int(np.flatnonzero(weights).max(initial=-1)) + 1  # channels after the last that counts are not read
        parts = np.zeros((heard, len(wanted), len(rows)), np.float32)
        neighbours.gather_entries(csr_of(self.matrix), self.lengths, rows, wanted, parts)
        found = np.zeros((len(wanted), len(rows)), np.float32)
        if len(rows):
            add_relative(parts, strengths, weights[:heard], found)
        return found

    def nearness(self, rows: NDArray[np.int64], strengths: Floats) -> Floats:
        """How near every item is to some titles (q,) of strengths (q,). → (n,)

        1 is the best match of a title of strength 1: each title's neighbours count from 0 to 1 in each channel, so that
        a well-known title does not outshout others.
        """
        n, e = self.lengths.shape
        totals = np.empty((e, n), np.float32)
        relative = (strengths[:, None] / self.loudest[rows]).astype(np.float32)
        neighbours.sum_by_channel(csr_of(self.matrix), self.lengths, rows, relative, totals)
        return np.asarray(np.maximum(totals, 0).sum(axis=0) / max(1, e), np.float32)


def join(channels: Sequence[ItemToItem], n: int) -> SideBySide:
    """Lay the channels over n items side by side."""
    if not channels:
        empty = sp.csr_array(np.zeros((n, 0), np.float32))
        return SideBySide(compact(empty), np.zeros((n, 0), np.int64), np.ones((n, 0), np.float32))
    loudest = np.stack([channel.weights.max(axis=1).toarray().ravel() for channel in channels], axis=1)
    return SideBySide(
        compact(sp.csr_array(sp.hstack([channel.weights for channel in channels], format="csr", dtype=np.float32))),
        np.stack([np.diff(channel.weights.indptr) for channel in channels], axis=1).astype(np.int64),
        np.where(loudest > 0, loudest, 1).astype(np.float32),
    )
