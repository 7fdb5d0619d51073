"""EDLAE: a full-rank linear autoencoder whose regularisation is exact dropout.

Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020; with dropout 0 it is EASE (Steck,
"Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019). Users with long lists are weighted down, and the
output is divided by a power of popularity. Cost: one inverse, items³ time and items² memory, so it is fitted on the
head items only. Fails for items with fewer than a handful of viewers; those are left to the other channels.
"""

from __future__ import annotations

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import lapack

from gars.retrieval.item_to_item import ItemToItem, keep_largest, no_edges, scatter

BLOCK = 1024
"""Rows of the dense matrix that are worked on at a time."""


class EdlaeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Regularisation, and powers of the degrees; the defaults were chosen on the fixed top-N split."""

    dropout: float = 0.5
    """Share of the entries dropped in training, from 0 to below 1."""
    l2: float = 50.0
    user_power: float = 0.15
    """Power of its length by which a list counts less."""
    popularity_power: float = 0.2
    """Power of its number of lists by which the score of an item is divided."""


_DEFAULTS = EdlaeSettings()


def fit(
    matrix: sp.csr_array,
    settings: EdlaeSettings = _DEFAULTS,
    *,
    min_count: int = 5,
    max_items: int = 10_000,
    keep: int = 200,
) -> ItemToItem:
    """Fit on (users, items) weights, over the at most ``max_items`` most popular items with ``min_count`` viewers."""
    n = int(matrix.shape[1])
    rows = head_of(matrix, min_count, max_items)
    if not len(rows):
        return ItemToItem("edlae", no_edges(n))
    head = sp.csr_array(matrix[:, rows])
    weights = regress(gram_of(head, settings.user_power), head, settings)
    kept = [
        keep_largest(weights[start : start + BLOCK], keep, by_magnitude=True) for start in range(0, len(rows), BLOCK)
    ]
    return ItemToItem("edlae", scatter(sp.csr_array(sp.vstack(kept, format="csr")), rows, n))


def head_of(matrix: sp.csr_array, min_count: int, max_items: int) -> NDArray[np.int64]:
    """Return the at most ``max_items`` most popular items with ``min_count`` viewers, ascending."""
    counts = np.bincount(matrix.indices, minlength=int(matrix.shape[1]))
    rows = np.flatnonzero(counts >= min_count)
    return np.sort(rows[np.argsort(-counts[rows], kind="stable")][:max_items])


def gram_of(head: sp.csr_array, user_power: float) -> NDArray[np.float32]:
    """Compute the Gram matrix of items on weighted lists. (users, m) → (m, m)"""
    degree = np.maximum(1, np.diff(head.indptr))
    return _gram(sp.csr_array(sp.diags_array((degree**-user_power).astype(np.float32)) @ head))


def regress(gram: NDArray[np.float32], head: sp.csr_array, settings: EdlaeSettings) -> NDArray[np.float32]:
    """Item-item weights from ``gram_of`` the lists (users, m), in the memory of ``gram``. → (m, m)"""
    weights = _solve(gram, settings.dropout, settings.l2)
    weights *= np.asarray(head.sum(axis=0)) ** -settings.popularity_power
    return weights


def _gram(matrix: sp.csr_array) -> NDArray[np.float32]:
    """Compute the Gram matrix of the columns, a block of rows at a time. (users, m) → (m, m)"""
    m = int(matrix.shape[1])
    turned, gram = sp.csr_array(matrix.T.tocsr()), np.empty((m, m), np.float32)
    for start in range(0, m, BLOCK):
        gram[start : start + BLOCK] = (turned[start : start + BLOCK] @ matrix).toarray()
    return gram


def _solve(gram: NDArray[np.float32], dropout: float, l2: float) -> NDArray[np.float32]:
    """Item-item weights with zero diagonal from the Gram matrix (m, m), in whose memory they are computed."""
    diagonal = np.einsum("ii->i", gram)
    # a little of the largest count keeps the factorisation stable in float32
    diagonal += dropout / (1 - dropout) * diagonal + l2
    # LAPACK reads columns first: the transpose of a symmetric matrix is not copied
    factor, failed = lapack.spotrf(gram.T, lower=True, overwrite_a=True)
    if failed:
        raise np.linalg.LinAlgError(f"Gram matrix is not positive definite (spotrf {failed}); raise l2 above {l2}")
    inverse, failed = lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise np.linalg.LinAlgError(f"inverse failed (spotri {failed})")
    weights = np.asarray(inverse.T, np.float32)  # its upper triangle is the inverse
    for start in range(0, len(weights), BLOCK):
        stop = start + BLOCK
        weights[start:stop, :start] = weights[:start, start:stop].T
        own = np.triu(weights[start:stop, start:stop])
        weights[start:stop, start:stop] = own + np.triu(own, 1).T
    weights /= -np.diag(weights)
    np.fill_diagonal(weights, 0)
    return weights
