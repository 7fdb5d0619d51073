"""EDLAE: a full-rank linear autoencoder whose regularisation is exact dropout.

Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020; with dropout 0 it is EASE (Steck,
"Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019). Users with long lists are weighted down, and the
output is divided by a power of popularity. Cost: one inverse, items³ time and items² memory, so it is fitted on the
head items only. Fails for items with fewer than a handful of viewers; those are left to the other channels.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import lapack

from gars.retrieval.item_to_item import ItemToItem, keep_largest, no_edges, scatter


def fit(
    matrix: sp.csr_array,
    *,
    dropout: float = 0.5,
    l2: float = 50.0,
    user_power: float = 0.15,
    popularity_power: float = 0.2,
    min_count: int = 5,
    max_items: int = 10_000,
    keep: int = 200,
) -> ItemToItem:
    """Fit on (users, items) weights, over the at most ``max_items`` most popular items with ``min_count`` viewers."""
    n = int(matrix.shape[1])
    counts = np.bincount(matrix.indices, minlength=n)
    rows = np.flatnonzero(counts >= min_count)
    rows = np.sort(rows[np.argsort(-counts[rows], kind="stable")][:max_items])
    if not len(rows):
        return ItemToItem("edlae", no_edges(n))
    head = sp.csr_array(matrix[:, rows])
    degree = np.maximum(1, np.diff(head.indptr))
    weighted = sp.diags_array((degree**-user_power).astype(np.float32)) @ head
    weights = _solve(np.asarray((weighted.T @ weighted).toarray(), np.float32), dropout, l2)
    weights *= np.asarray(head.sum(axis=0)) ** -popularity_power
    return ItemToItem("edlae", scatter(keep_largest(weights, keep, by_magnitude=True), rows, n))


def _solve(gram: NDArray[np.float32], dropout: float, l2: float) -> NDArray[np.float32]:
    """Item-item weights with zero diagonal from the Gram matrix (m, m), which is overwritten."""
    diagonal = np.einsum("ii->i", gram)
    # a little of the largest count keeps the factorisation stable in float32
    diagonal += dropout / (1 - dropout) * diagonal + l2
    factor, failed = lapack.spotrf(gram, lower=True, overwrite_a=True)
    if failed:
        raise np.linalg.LinAlgError(f"Gram matrix is not positive definite (spotrf {failed}); raise l2 above {l2}")
    inverse, failed = lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise np.linalg.LinAlgError(f"inverse failed (spotri {failed})")
    inverse = np.tril(inverse)
    inverse += np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(weights, np.float32)
