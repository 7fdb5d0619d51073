"""iALS: matrix factorisation for what was watched, every title that was not counting a little against.

Hu, Koren & Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008; fitted by the ``implicit``
library. A user is folded in by the least-squares solution for their list. Fit 1 s on the sample, linear in the
interactions. Weaker than EDLAE on a small catalogue, but it never needs items² memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.errors import MissingExtraError
from gars.kernels.fold_in import fold_in
from gars.kernels.quantised import Products, quantise

Floats = NDArray[np.float32]

ALPHA = 7.0
"""Confidence of an entry of weight 1 relative to an empty one."""
L2 = 35.0
ITERATIONS = 12


TOLERANCE = 3e-7
"""Residual of a fold-in, relative to the right side; scores are then within 5e-5 deviations of the exact ones."""
MOST_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Item factors, and the Gram matrix and its root for folding in a user."""

    items: Floats
    """(n, d)"""
    gram: Floats
    """(d, d) of the items, with the regularisation on its diagonal."""
    _root: Floats = field(init=False)
    """(d, d) with root · rootᵀ = gram⁻¹"""
    _rooted_items: Floats = field(init=False)
    """(r + 1, d) items · root, for the r items with viewers, and a row of zeros"""
    _place: NDArray[np.int32] = field(init=False)
    """(n,) row of each item, that of zeros without viewers"""

    def __post_init__(self) -> None:
        root = np.linalg.inv(np.linalg.cholesky(self.gram.astype(np.float64))).T.astype(np.float32)
        seen = np.flatnonzero(self.items.any(axis=1))
        object.__setattr__(self, "_root", root)
        object.__setattr__(self, "_rooted_items", with_zeros(self.items[seen] @ root))
        object.__setattr__(self, "_place", places_of(seen, len(self.items)))

    def fold_in(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Solve for the factors of a user with these titles and weights. (h,), (h,) → (d,)"""
        solution = np.empty(len(self.gram), np.float32)
        confidence = (ALPHA * weights).astype(np.float32)
        fold_in(self._rooted_items, self._place, rows, confidence, TOLERANCE, MOST_STEPS, solution)
        return self._root @ solution


def products_of(factors: Factors, first: NDArray[np.bool_]) -> Products:
    """Quantise item factors, all without viewers as one row of zeros; items to be read ``first`` (n,) are together."""
    seen, n = np.flatnonzero(factors.items.any(axis=1)), np.float32(max(1, len(factors.items)))
    seen = np.concatenate([seen[first[seen]], seen[~first[seen]]])
    rows = quantise(with_zeros(factors.items[seen]))
    compared = rows.codes * rows.steps[:, None]
    mean, square = compared.sum(axis=0) / n, compared.T @ compared / n
    place = places_of(seen, len(factors.items))
    return Products(rows, place, np.asarray(mean, np.float32), np.asarray(square, np.float32))


def with_zeros(rows: Floats) -> Floats:
    """Return rows (r, d) and a row of zeros. → (r + 1, d)"""
    return np.concatenate([rows, np.zeros((1, rows.shape[1]), np.float32)])


def places_of(items: NDArray[np.int64], n: int) -> NDArray[np.int32]:
    """Return the position of each of n items among some (r,), r for others. → (n,)"""
    place = np.full(n, len(items), np.int32)
    place[items] = np.arange(len(items), dtype=np.int32)
    return place


def fit(matrix: sp.csr_array, *, dim: int, seed: int) -> tuple[Factors, Floats]:
    """Fit on (users, items) weights; also returns the users (u, d). BLAS should be limited to one thread.

    Raises:
        MissingExtraError: ``implicit`` is not installed.
    """
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError as error:
        raise MissingExtraError("training iALS", "train") from error
    n_users, n_items = matrix.shape
    if not matrix.nnz:
        return Factors(np.zeros((n_items, 1), np.float32), np.eye(1, dtype=np.float32)), np.zeros(
            (n_users, 1), np.float32
        )
    lists = sp.csr_matrix(
        (ALPHA * matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)), matrix.shape
    )
    model = AlternatingLeastSquares(
        factors=min(dim, n_items, n_users),
        regularization=L2,
        alpha=1.0,
        iterations=ITERATIONS,
        num_threads=1,
        random_state=seed % 2**32,
    )
    model.fit(lists, show_progress=False)
    items = np.asarray(model.item_factors, np.float32)
    gram = items.T @ items + L2 * np.eye(items.shape[1], dtype=np.float32)
    return Factors(items, gram), np.asarray(model.user_factors, np.float32)
