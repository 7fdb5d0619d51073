"""iALS: matrix factorisation for what was watched, every title that was not counting a little against.

Hu, Koren & Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008; fitted by the ``implicit``
library. A user is folded in by one exact least-squares solve: h × h for a short list, d × d for a long one. Fit 1 s on
the sample, linear in the interactions. Weaker than EDLAE on a small catalogue, but it never needs items² memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.lapack import sposv

from gars.domain.errors import MissingExtraError
from gars.loops.quantised import Quantised, dot, quantise

Floats = NDArray[np.float32]

ALPHA = 7.0
"""How many times more than an empty entry a title of strength 1 weighs."""
L2 = 35.0
ITERATIONS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Item factors, and what a fold-in needs besides."""

    items: Floats
    """(n, d)"""
    gram: Floats
    """(d, d) of the items, with the regularisation on its diagonal."""
    _inverse: Floats = field(init=False)
    _inverse_items: Floats = field(init=False)
    """(n, d) items · gram⁻¹"""
    _seen: NDArray[np.int64] = field(init=False)
    """Rows with factors: what nobody watched has none, and need not be multiplied."""
    _seen_items: Quantised = field(init=False)

    def __post_init__(self) -> None:
        inverse = np.linalg.inv(self.gram.astype(np.float64)).astype(np.float32)
        object.__setattr__(self, "_inverse", inverse)
        object.__setattr__(self, "_inverse_items", self.items @ inverse)
        seen = np.flatnonzero(self.items.any(axis=1))
        object.__setattr__(self, "_seen", seen)
        object.__setattr__(self, "_seen_items", quantise(self.items[seen]))

    def score(self, user: Floats, *, out: Floats) -> None:
        """What the factors of a user (d,) say to every item, written into ``out`` (n,), which must be zero."""
        out[self._seen] = dot(self._seen_items, user)

    def fold_in(self, rows: NDArray[np.int64], strengths: Floats) -> Floats:
        """The user of these titles. (h,), (h,) → (d,)"""
        own = self.items[rows]
        wanted = own.T @ (1 + ALPHA * strengths)
        if len(rows) >= len(self.gram):
            added = (own.T * (ALPHA * strengths).astype(np.float32)) @ own
            return _solved(self.gram + added, wanted)
        # Woodbury: a short list changes the Gram matrix in few directions
        half = self._inverse_items[rows]  # (h, d)
        inner = half @ own.T
        inner[np.diag_indices(len(rows))] += 1 / (ALPHA * strengths)
        start = self._inverse @ wanted
        return np.asarray(start - half.T @ _solved(inner, own @ start), np.float32)


def _solved(matrix: Floats, right: Floats) -> Floats:
    """The solution of a symmetric positive system; by elimination where rounding left it not quite positive."""
    _, solution, failed = sposv(matrix, right)
    return np.asarray(np.linalg.solve(matrix, right) if failed else solution, np.float32)


def fit(matrix: sp.csr_array, *, dim: int, seed: int) -> tuple[Factors, Floats]:
    """Fit on (users, items) strengths; also returns the users (u, d). BLAS should be limited to one thread.

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
