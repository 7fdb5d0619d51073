"""Spectral low-pass filter over the item graph.

The ideal low-pass filter of GF-CF (Shen et al., "How Powerful is Graph Convolution for Recommendation?", CIKM 2021):
``score = x · D^-q · V Vᵀ · D^q`` with the leading right singular vectors V of the normalised (users, items) matrix,
by randomised subspace iteration (Halko, Martinsson & Tropp, SIAM Review 2011). Nothing is trained; a user is folded in
by one sum of item vectors. Time grows with interactions × rank, memory with (users + items) × rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]

OVERSAMPLING = 16
POWER_STEPS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Spectral:
    """The filter in the form that serving reads."""

    source: Floats
    """(n, r) what an item on a list adds to the user's vector."""
    target: Floats
    """(n, r) what is multiplied with the user's vector."""

    def user(self, rows: NDArray[np.int64], weights: Floats) -> Floats:
        """The vector of a user with these items. (h,), (h,) → (r,)"""
        return np.asarray(weights @ self.source[rows], np.float32)


def decompose(matrix: sp.csr_array, rank: int, seed: int) -> tuple[Floats, Floats]:
    """Singular values (r,) and right singular vectors (n, r) of the matrix normalised by both degrees."""
    n_users, n_items = matrix.shape
    rank = min(rank, n_users, n_items)
    users = np.maximum(1, np.diff(matrix.indptr)) ** -0.5
    items = np.maximum(1, np.bincount(matrix.indices, minlength=n_items)) ** -0.5
    normal = sp.csr_array(sp.diags_array(users) @ matrix @ sp.diags_array(items)).astype(np.float32)
    turned = sp.csr_array(normal.T.tocsr())
    width = min(rank + OVERSAMPLING, n_users, n_items)
    basis = normal @ np.random.default_rng([seed, 7]).standard_normal((n_items, width), np.float32)
    for _ in range(POWER_STEPS):
        basis = np.linalg.qr(turned @ np.linalg.qr(basis)[0])[0]
        basis = normal @ basis
    right = turned @ np.linalg.qr(basis)[0]
    vectors, values, _ = np.linalg.svd(right, full_matrices=False)
    return np.asarray(values[:rank], np.float32), np.ascontiguousarray(vectors[:, :rank], np.float32)


def low_pass(matrix: sp.csr_array, vectors: Floats, *, power: float) -> Spectral:
    """The filter of some singular vectors (n, r); ``power`` is q of the formula above."""
    degree = np.maximum(1, np.bincount(matrix.indices, minlength=matrix.shape[1])).astype(np.float32)[:, None]
    scaled = degree ** np.float32(power)
    return Spectral(vectors / scaled, vectors * scaled)
