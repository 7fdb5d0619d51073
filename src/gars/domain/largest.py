"""The k largest entries of each row: how every neighbour list is cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def largest(weights: NDArray[np.float32], k: int, *, by_magnitude: bool = False) -> NDArray[np.bool_]:
    """Mask of the k largest entries of each row, without zeros; ties go to the lower column. (m, n) → (m, n)"""
    key = np.abs(weights) if by_magnitude else weights
    kept = weights != 0
    if k < weights.shape[1]:
        # negated: numpy selects near the start of rows with many equal values several times faster
        threshold = -np.partition(-key, k - 1, axis=1)[:, k - 1 : k]
        kept &= key >= threshold
        for row in np.flatnonzero(kept.sum(axis=1) > k):
            tied = np.flatnonzero(kept[row] & (key[row] == threshold[row]))
            kept[row, tied[k - int(kept[row].sum()) :]] = False
    return np.asarray(kept, np.bool_)
