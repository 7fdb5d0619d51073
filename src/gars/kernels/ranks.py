"""Ranks of scores by one sort of integers: the bits of a score, so that a larger one is a smaller number, and a place.

numpy sorts integers with vector instructions; a sort compiled here is several times slower.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
PLACE_BITS = 31


def _write_sort_keys(scores: Floats, places: Ints, keys: Ints) -> None:
    bits = (scores + np.float32(0)).view(np.int32)  # + 0 makes one zero of -0 and 0
    negative = (bits >> 31) & 0x7FFFFFFF
    keys[:] = (np.invert(negative ^ bits).astype(np.int64) << PLACE_BITS) | places


@compiled(plain=_write_sort_keys)
def write_sort_keys(scores: Floats, places: Ints, keys: Ints) -> None:
    """Write integers to ``keys`` (c, m) that ascend as the scores (c, m) descend, ties by ``places`` (m,) ≥ 0.

    The lowest ``PLACE_BITS`` of a key are the place, below 2³¹.
    """
    c, m = scores.shape
    for row in range(c):
        bits = (scores[row] + np.float32(0)).view(np.int32)
        for i in range(m):
            negative = (bits[i] >> np.int32(31)) & np.int32(0x7FFFFFFF)
            keys[row, i] = (np.int64(~(negative ^ bits[i])) << PLACE_BITS) | places[i]


def _write_by_rank(keys: Ints, by_rank: Floats, out: Floats) -> None:
    places = keys & (1 << PLACE_BITS) - 1
    np.put_along_axis(out, places, np.broadcast_to(by_rank, out.shape), axis=1)


@compiled(plain=_write_by_rank)
def write_by_rank(keys: Ints, by_rank: Floats, out: Floats) -> None:
    """Write ``by_rank[rank]`` (m,) to the place in each of the sorted keys (c, m) of a row of ``out`` (c, m)."""
    c, m = out.shape
    for row in range(c):
        for rank in range(m):
            out[row, keys[row, rank] & ((np.int64(1) << PLACE_BITS) - 1)] = by_rank[rank]
