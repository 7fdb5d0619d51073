"""The weighted item graph: which items are watched together, Min-Max scaled, cut to the strongest edges."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from gars.retrieval.item_to_item import keep_largest_sparse


def build(similarity: sp.csr_array, *, k: int = 50, power: float = 3.0) -> sp.csr_array:
    """Edges weighted by cosine^power, at most k a node, Min-Max scaled to (0, 1]. (items, items) → (items, items)

    The power keeps walks near home: with plain cosine they drown in the popular titles.
    """
    return min_max(strongest(similarity, k=k, power=power))


def strongest(similarity: sp.csr_array, *, k: int = 50, power: float = 3.0) -> sp.csr_array:
    """The edges of some nodes before they are scaled. (m, items) → (m, items)"""
    weights = similarity.copy()
    weights.data **= power
    return keep_largest_sparse(weights, k)


def min_max(weights: sp.csr_array, bounds: tuple[float, float] | None = None) -> sp.csr_array:
    """Scale edge weights to (0, 1]. The smallest edge keeps a trace of weight: an edge is never lost by scaling.

    ``bounds`` are the smallest and the largest weight of the whole graph, where ``weights`` are some of its rows.
    """
    if not weights.nnz:
        return weights
    low, high = bounds or (float(weights.data.min()), float(weights.data.max()))
    scaled = weights.copy()
    scaled.data = (np.ones_like(weights.data) if high == low else (weights.data - low) / (high - low)).astype(
        np.float32
    )
    np.maximum(scaled.data, np.float32(1e-6), out=scaled.data)
    return scaled
