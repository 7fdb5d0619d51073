"""Training rows as sparse matrices, users by items: what every retrieval model fits on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.history import LIKED_ABOVE


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMatrix:
    """Matrices of users (rows) and items (columns): weights and ratings of the same sparsity."""

    weights: sp.csr_array
    """(users, items) float32, interaction weights of users and items (``domain.history.interaction_weight``)."""
    ratings: NDArray[np.float32]
    """(nnz,) the rating of each stored entry in CSR order, NaN = not rated."""

    @property
    def n_users(self) -> int:
        """Number of rows."""
        return int(self.weights.shape[0])

    @property
    def n_items(self) -> int:
        """Number of columns."""
        return int(self.weights.shape[1])

    def viewers(self) -> NDArray[np.int64]:
        """Count the lists each item is on. → (items,)"""
        return np.bincount(self.weights.indices, minlength=self.n_items)

    def with_values(self, values: NDArray[np.float32]) -> sp.csr_array:
        """A matrix of the same sparsity with other values; zeros are dropped."""
        matrix = sp.csr_array((values, self.weights.indices, self.weights.indptr), shape=self.weights.shape)
        matrix = matrix.copy()
        matrix.eliminate_zeros()
        return matrix

    def graded(self) -> sp.csr_array:
        """The weights without the zeros."""
        return self.with_values(self.weights.data)

    def of_items(self, rows: NDArray[np.int64]) -> sp.csr_array:
        """The graded weights of some items only; the others' columns are empty."""
        kept = np.zeros(self.n_items, np.float32)
        kept[rows] = 1
        return self.with_values(self.weights.data * kept[self.weights.indices])

    def select_users(self, users: NDArray[np.int64]) -> TrainingMatrix:
        """The rows of some users, in the order given."""
        starts, ends = self.weights.indptr[users], self.weights.indptr[users + 1]
        entries = np.concatenate(
            [np.arange(a, b) for a, b in zip(starts, ends, strict=True)] or [np.empty(0, np.int64)]
        )
        return TrainingMatrix(self.weights[users], self.ratings[entries])


def from_rows(
    user: NDArray[np.int64],
    item: NDArray[np.int64],
    rating: NDArray[np.float32],
    *,
    n_users: int,
    n_items: int,
    unrated: float = 0.5,
) -> TrainingMatrix:
    """Build the matrix of unique (user, item) rows; ``unrated`` is the weight of an entry without a rating."""
    if not ((user[1:] > user[:-1]) | ((user[1:] == user[:-1]) & (item[1:] > item[:-1]))).all():
        order = np.lexsort((item, user))
        user, item, rating = user[order], item[order], rating[order]
    weights = np.zeros(len(rating), np.float32)
    weights[rating >= 6] = 0.4
    weights[rating > LIKED_ABOVE] = 1
    weights[np.isnan(rating)] = unrated
    indptr = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=n_users))])
    # scipy drops no explicit zeros here: a disliked title stays an entry of weight 0
    matrix = sp.csr_array((weights, item.astype(np.int32), indptr.astype(np.int64)), shape=(n_users, n_items))
    return TrainingMatrix(matrix, rating)
