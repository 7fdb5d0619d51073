"""Who was proposed by anybody, and what every channel says of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


def _unite(proposed: Flags, rows: Ints) -> int:
    found = np.flatnonzero(proposed.any(axis=0))
    rows[: len(found)] = found
    return len(found)


@compiled(plain=_unite)
def unite(proposed: Flags, rows: Ints) -> int:
    """Write the columns of ``proposed`` (c, n) that any row names to ``rows``, ascending. → how many

    ``rows`` must have a place for each of them.
    """
    c, n = proposed.shape
    by_any = np.zeros((n + 7) // 8 * 8, np.bool_)
    for channel in range(c):
        for j in range(n):
            by_any[j] |= proposed[channel, j]
    eight = by_any.view(np.uint64)  # most have nobody
    found = 0
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if by_any[j]:
                    rows[found] = j
                    found += 1
    return found


def _standardise(scores: Floats, mean: Floats, deviation: Floats, rows: Ints, out: Floats) -> None:
    out[:] = (scores[:, rows] - mean[:, None]) / deviation[:, None]


@compiled(plain=_standardise)
def standardise(scores: Floats, mean: Floats, deviation: Floats, rows: Ints, out: Floats) -> None:
    """Write the scores (c, n) of some items (m,) to ``out`` (c, m), in deviations (c,) from the mean (c,)."""
    for channel in range(len(scores)):
        for i in range(len(rows)):
            out[channel, i] = (scores[channel, rows[i]] - mean[channel]) / deviation[channel]
