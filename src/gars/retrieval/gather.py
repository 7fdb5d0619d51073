"""Sums over the neighbour lists of a user's titles: the inner loop of serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The neighbour lists of some rows, one after the other."""

    columns: NDArray[np.int32]
    """(e,) whom each edge leads to."""
    weights: NDArray[np.float32]
    """(e,)"""
    source: NDArray[np.int64]
    """(e,) position, in the rows asked for, where each edge starts."""
    n: int

    def total(self, strengths: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Σ strength · weight for every item; strengths (h,) of the rows asked for, all 1 if ``None``. → (n,)"""
        weights = self.weights if strengths is None else self.weights * strengths[self.source]
        return np.bincount(self.columns, weights, self.n).astype(np.float32)


def gather(matrix: sp.csr_array, rows: NDArray[np.int64]) -> Gathered:
    """The stored entries of some rows of a CSR matrix."""
    starts = matrix.indptr[rows].astype(np.int64)
    lengths = matrix.indptr[rows + 1].astype(np.int64) - starts
    source = np.repeat(np.arange(len(rows)), lengths)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    entries = np.arange(total) + np.repeat(starts - ends + lengths, lengths)
    return Gathered(matrix.indices[entries], matrix.data[entries], source, int(matrix.shape[1]))
