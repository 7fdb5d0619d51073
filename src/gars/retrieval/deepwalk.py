"""DeepWalk: random walks over the weighted item graph, read as sentences by Item2Vec.

Perozzi et al., "DeepWalk: Online Learning of Social Representations", KDD 2014. Walks are drawn for all nodes at once:
one step of every walker is one binary search in the concatenated cumulative edge weights.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def walks(
    graph: sp.csr_array,
    rng: np.random.Generator,
    *,
    per_node: int = 20,
    length: int = 20,
    most_steps: int = 10**9,
) -> NDArray[np.int32]:
    """Draw weighted random walks from every node that has edges. → (nodes · per_node, length)

    Fewer than ``per_node`` where all would take more than ``most_steps`` steps.
    """
    starts = np.flatnonzero(np.diff(graph.indptr))
    per_node = max(1, min(per_node, most_steps // max(1, length * len(starts))))
    position = rng.permutation(np.repeat(starts, per_node))
    cumulative = _cumulative(graph)
    path = np.empty((len(position), length), np.int32)
    for step in range(length):
        path[:, step] = position
        edge = np.searchsorted(cumulative, position + rng.random(len(position)), side="right")
        # rounding may point one past the row's last edge
        edge = np.minimum(edge, graph.indptr[position + 1] - 1)
        position = graph.indices[edge].astype(np.int64)
    return path


def _cumulative(graph: sp.csr_array) -> NDArray[np.float64]:
    """Row number + cumulative share of each edge within its row: increasing over the whole array. (nnz,)"""
    lengths = np.diff(graph.indptr)
    row = np.repeat(np.arange(graph.shape[0]), lengths)
    running = np.cumsum(graph.data, dtype=np.float64)
    before = np.concatenate([[0.0], running])[graph.indptr[:-1]]
    totals = np.concatenate([[0.0], running])[graph.indptr[1:]] - before
    return np.asarray(row + (running - before[row]) / totals[row], np.float64)
