"""The weighted item graph: which items are watched together, Min-Max scaled, cut to the strongest edges."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def build(similarity: sp.csr_array, *, power: float = 3.0) -> sp.csr_array:
    """Weight the edges of ``item_knn.cosine`` by cosine^power, Min-Max scaled to (0, 1]. (items, items) → the same

    The power keeps walks near home: with plain cosine they drown in the popular titles.
    """
    weights = similarity.copy()
    weights.data **= power
    return min_max(weights)


def min_max(weights: sp.csr_array) -> sp.csr_array:
    """Scale edge weights to (0, 1]. The smallest edge keeps a trace of weight: an edge is never lost by scaling."""
    if not weights.nnz:
        return weights
    low, high = float(weights.data.min()), float(weights.data.max())
    scaled = weights.copy()
    scaled.data = (np.ones_like(weights.data) if high == low else (weights.data - low) / (high - low)).astype(
        np.float32
    )
    np.maximum(scaled.data, np.float32(1e-6), out=scaled.data)
    return scaled
