"""All neighbourhood channels in one sparse matrix: one look-up of a user's titles serves every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.retrieval.gather import compact
from gars.retrieval.item_to_item import ItemToItem

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """The neighbour lists of e channels over n items, one after the other in each row."""

    matrix: sp.csr_array
    """(n, e · n); column ``channel · n + item``."""
    lengths: NDArray[np.int64]
    """(n, e) stored entries of each item in each channel."""
    loudest: Floats
    """(n, e) largest weight of each item in each channel, 1 where there is none above 0."""

    def of(self, rows: NDArray[np.int64], strengths: Floats) -> Said:
        """What some titles (h,) of strengths (h,) say."""
        own = self.matrix[rows]
        terms = own.data * np.repeat(strengths, np.diff(own.indptr))
        return Said(own.indices.astype(np.intp), own.data, terms, self.lengths.shape)

    def nearness(self, rows: NDArray[np.int64], strengths: Floats) -> Floats:
        """How near every item is to some titles (q,) of strengths (q,). → (n,)

        1 is the best match of a title of strength 1: each title's neighbours count from 0 to 1 in each channel, so that
        a well-known title does not outshout others.
        """
        own = self.matrix[rows]
        share = (strengths[:, None] / self.loudest[rows]).astype(np.float32)
        terms = own.data * np.repeat(share.ravel(), self.lengths[rows].ravel())
        totals = Said(own.indices.astype(np.intp), own.data, terms, self.lengths.shape).totals()
        return np.asarray(np.maximum(totals, 0).sum(axis=0) / max(1, len(totals)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """The terms of every channel's sums over some titles."""

    columns: NDArray[np.intp]
    """(t,) ``channel · n + item``"""
    weights: Floats
    """(t,)"""
    terms: Floats
    """(t,) weight · strength"""
    shape: tuple[int, ...]
    """(n, e)"""

    def totals(self, out: Floats | None = None) -> Floats:
        """Σ terms of every item in every channel, written into ``out`` if there is one. → (e, n)"""
        n, e = self.shape
        out = np.empty((e, n), np.float32) if out is None else out
        # bincount is several times slower when it has to convert
        out[:] = np.bincount(self.columns, self.terms.astype(np.float64), e * n).reshape(e, n)
        return out

    def made_of(self, wanted: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """The largest term and log(1 + number of positive terms) of the wanted items' sums. (m,) → (e, m), (e, m)"""
        (n, e), m = self.shape, len(wanted)
        place = np.full((e, n), e * m, np.int32)  # the last place is for whom nobody asked
        place[:, wanted] = np.arange(e * m, dtype=np.int32).reshape(e, m)
        at = place.ravel().take(self.columns).astype(np.intp)  # as it is, ufunc.at would convert it piece by piece
        strongest = np.zeros(e * m + 1, np.float32)
        np.maximum.at(strongest, at, self.terms)
        supporters = np.bincount(at[self.weights > 0], minlength=e * m + 1)[:-1].astype(np.float32)
        return strongest[:-1].reshape(e, m), np.log1p(supporters).reshape(e, m)


def join(channels: Sequence[ItemToItem], n: int) -> SideBySide:
    """Lay the channels over n items side by side."""
    if not channels:
        empty = sp.csr_array(np.zeros((n, 0), np.float32))
        return SideBySide(empty, np.zeros((n, 0), np.int64), np.ones((n, 0), np.float32))
    loudest = np.stack([channel.weights.max(axis=1).toarray().ravel() for channel in channels], axis=1)
    return SideBySide(
        compact(sp.csr_array(sp.hstack([channel.weights for channel in channels], format="csr", dtype=np.float32))),
        np.stack([np.diff(channel.weights.indptr) for channel in channels], axis=1).astype(np.int64),
        np.where(loudest > 0, loudest, 1).astype(np.float32),
    )
