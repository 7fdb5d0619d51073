"""Each channel's best items: what it proposes as candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

AHEAD = 1.0
"""An item this many deviations above its channel's mean is looked at first; seldom are more than a fifth."""


def best(
    scores: Floats, mean: Floats, deviation: Floats, allowed: NDArray[np.bool_], k: int
) -> list[NDArray[np.int64]]:
    """Rows of each channel's k best allowed items, ascending; ties go to the lower row. (c, n), (c,), (c,), (n,)

    The k-th largest of all is the k-th largest of those ahead, where k are ahead: so most are never sorted.
    """
    ahead = scores > (mean + AHEAD * deviation)[:, None]
    ahead &= allowed
    everybody: NDArray[np.int64] | None = None
    proposed = []
    for row, some in zip(scores, ahead, strict=True):
        rows = np.flatnonzero(some)
        if len(rows) < k:
            everybody = np.flatnonzero(allowed) if everybody is None else everybody
            rows = everybody
        proposed.append(rows[largest_of(row.take(rows), k)])
    return proposed


def largest_of(values: Floats, k: int) -> NDArray[np.int64]:
    """Positions of the k largest values, ascending; ties go to the lower position. (n,) → (≤ k,)"""
    if k <= 0:
        return np.empty(0, np.int64)
    if len(values) <= k:
        return np.arange(len(values))
    # negated: numpy selects near the start of an array with many equal values much faster
    threshold = -np.partition(-values, k - 1)[k - 1]
    kept = np.flatnonzero(values >= threshold)
    if len(kept) > k:
        tied = np.flatnonzero(values[kept] == threshold)
        kept = np.delete(kept, tied[k - len(kept) :])
    return kept
