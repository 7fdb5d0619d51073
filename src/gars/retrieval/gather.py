"""Sums over the neighbour lists of a user's titles: the inner loop of serving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The neighbour lists of some rows, one after the other."""

    columns: NDArray[np.intp]
    """(e,) whom each edge leads to."""
    weights: NDArray[np.float32]
    """(e,)"""
    source: NDArray[np.int64]
    """(e,) position, in the rows asked for, where each edge starts."""
    n: int

    def total(self, strengths: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Σ strength · weight for every item; strengths (h,) of the rows asked for, all 1 if ``None``. → (n,)"""
        weights = self.weights if strengths is None else self.weights * strengths[self.source]
        # bincount is several times slower when it has to convert
        return np.bincount(self.columns, weights.astype(np.float64), self.n).astype(np.float32)


def gather(matrix: sp.csr_array, rows: NDArray[np.int64]) -> Gathered:
    """The stored entries of some rows of a CSR matrix."""
    own = matrix[rows]
    source = np.repeat(np.arange(len(rows)), np.diff(own.indptr))
    return Gathered(own.indices.astype(np.intp), own.data, source, int(matrix.shape[1]))


def compact(matrix: sp.csr_array) -> sp.csr_array:
    """The same matrix with 32-bit indices if they can hold it: half the memory to read in each request."""
    if max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max:
        return matrix
    indices, indptr = matrix.indices.astype(np.int32, copy=False), matrix.indptr.astype(np.int32, copy=False)
    return sp.csr_array((matrix.data, indices, indptr), shape=matrix.shape)
