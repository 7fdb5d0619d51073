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
from scipy.linalg.blas import ssyrk
from scipy.linalg.lapack import sposv

from gars.domain.errors import MissingExtraError
from gars.kernels.quantised import Quantised, multiply, quantise, quantise_vector

Floats = NDArray[np.float32]

ALPHA = 7.0
"""Confidence of an entry of weight 1 relative to an empty one."""
L2 = 35.0
ITERATIONS = 12


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
    """(n, d) items · root"""
    _seen: NDArray[np.int64] = field(init=False)
    """Rows with factors: an item without viewers has none, and is not multiplied."""
    _seen_items: Quantised = field(init=False)
    _mean: Floats = field(init=False)
    """(d,) of the quantised factors of all items"""
    _square: Floats = field(init=False)
    """(d, d) mean of their products with themselves"""

    def __post_init__(self) -> None:
        root = np.linalg.inv(np.linalg.cholesky(self.gram.astype(np.float64))).T.astype(np.float32)
        object.__setattr__(self, "_root", root)
        object.__setattr__(self, "_rooted_items", self.items @ root)
        seen, n = np.flatnonzero(self.items.any(axis=1)), np.float32(max(1, len(self.items)))
        quantised = quantise(self.items[seen])
        compared = quantised.codes * quantised.steps[:, None]
        object.__setattr__(self, "_seen", seen)
        object.__setattr__(self, "_seen_items", quantised)
        object.__setattr__(self, "_mean", compared.sum(axis=0) / n)
        object.__setattr__(self, "_square", compared.T @ compared / n)

    def score(self, user: Floats, wanted: NDArray[np.bool_], *, out: Floats) -> tuple[np.float32, np.float32]:
        """Write the product of a user's factors (d,) with those of wanted items (n,) to ``out`` (n,), which is zero.

        Returns mean and standard deviation, 1 if it is 0, of the products with all items.
        """
        codes, step = quantise_vector(user)
        multiply(self._seen_items, self._seen, wanted, codes, step, out)
        compared = np.asarray(codes * step, np.float32)
        mean = np.float32(self._mean @ compared)
        variance = np.float32(compared @ (self._square @ compared) - mean * mean)
        return mean, np.float32(np.sqrt(variance)) if variance > 0 else np.float32(1)

    def fold_in(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """Solve for the factors of a user with these titles and weights. (h,), (h,) → (d,)"""
        confidence = (ALPHA * weights).astype(np.float32)
        # in the basis where the Gram matrix is the identity
        factors = self._rooted_items[rows]
        right = (1 + confidence) @ factors
        if len(rows) >= len(self.gram):
            # (d, d); not by ssyrk, which takes more than twice the time for few columns
            matrix = np.asarray((factors * confidence[:, None]).T @ factors, np.float32)
            np.einsum("ii->i", matrix)[:] += 1
            return self._root @ _solve(matrix, right)
        # Woodbury: a short list changes it in few directions
        matrix = ssyrk(1, factors.T, trans=True)  # (h, h)
        np.einsum("ii->i", matrix)[:] += 1 / confidence
        return self._root @ (right - _solve(matrix, factors @ right) @ factors)


def _solve(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive system given by its upper triangle; the matrix is overwritten. (d, d), (d,) → (d,)"""
    _, solution, failed = sposv(matrix, right, overwrite_a=True)
    if failed:
        raise FloatingPointError(f"a Gram matrix that is not positive: LAPACK's sposv answered {failed}")
    return np.asarray(solution, np.float32)


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
