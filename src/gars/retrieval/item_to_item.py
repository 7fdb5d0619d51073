"""The one serving form of every neighbourhood model: a sparse item-by-item matrix.

EDLAE, item-kNN and DeepWalk differ in how they learn the weights; serving is the same sum over the
user's titles. One form means one fast path, one explanation (the contribution of a title is its term of the sum) and
one way to publish neighbour lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.top_k import top_k_mask
from gars.kernels.neighbours import CSR
from gars.retrieval.compact import compact, csr_of


@dataclass(frozen=True, slots=True, eq=False)
class ItemToItem:
    """A channel: ``score(user, j) = Σ_i strength_i · weights[i, j]``."""

    name: str
    weights: sp.csr_array
    """(n, n) float32; row i holds the weights of item i for every other item."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", compact(self.weights))

    def lists(self, rows: NDArray[np.int64]) -> tuple[CSR, NDArray[np.int64]]:
        """Return sparse rows that hold the neighbour lists of some items (m,), and the row of each. → CSR, (m,)"""
        return csr_of(self.weights), rows


class Channel(Protocol):
    """The neighbour lists of a channel, in a matrix of their own or among those of others."""

    @property
    def name(self) -> str:
        """Name of the channel."""
        ...

    @property
    def weights(self) -> sp.csr_array:
        """(n, n) float32; row i holds the weights of item i for every other item."""
        ...

    def lists(self, rows: NDArray[np.int64]) -> tuple[CSR, NDArray[np.int64]]:
        """Return sparse rows that hold the neighbour lists of some items (m,), and the row of each. → CSR, (m,)"""
        ...


def keep_largest(weights: NDArray[np.float32], k: int, *, by_magnitude: bool = False) -> sp.csr_array:
    """The k largest entries of each row of a dense (m, n) block as CSR, without zeros; ties go to the lower column."""
    kept = top_k_mask(weights, k, by_magnitude=by_magnitude)
    rows, columns = np.nonzero(kept)
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return sp.csr_array((weights[rows, columns], columns.astype(np.int32), indptr), shape=weights.shape)


def no_edges(n: int) -> sp.csr_array:
    """An (n, n) matrix without entries."""
    return sp.csr_array((np.empty(0, np.float32), np.empty(0, np.int32), np.zeros(n + 1, np.int64)), shape=(n, n))


def scatter(block: sp.csr_array, rows: NDArray[np.int64], n: int) -> sp.csr_array:
    """Place a (m, m) matrix over some items at their rows and columns of an (n, n) matrix."""
    coo = block.tocoo()
    return sp.csr_array((coo.data, (rows[coo.row], rows[coo.col])), shape=(n, n))
