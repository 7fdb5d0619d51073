"""The largest come first: how every neighbour list is cut and every list is put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ID_BITS = 31


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


def best_first(scores: NDArray[np.float32], ids: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Positions by ``(-score, id)`` for ids (m,) from 0 to 2³¹, without them by ``(-score, position)``. (…, m) → (…, m)

    One sort of integers: the score's bits, turned so that a larger score is a smaller number, above the id.
    """
    bits = (np.ascontiguousarray(scores) + np.float32(0)).view(np.int32)  # + 0 makes one zero of -0 and 0
    falling = bits >> 31  # all bits of a negative one
    falling &= 0x7FFFFFFF
    falling ^= bits
    np.invert(falling, out=falling)
    keys = falling.astype(np.int64)
    keys <<= _ID_BITS
    if ids is not None:
        keys |= ids
        return np.argsort(keys, axis=-1)
    keys |= np.arange(scores.shape[-1])
    keys.sort(axis=-1)  # several times faster than an argsort, and the positions come along
    keys &= (1 << _ID_BITS) - 1
    return keys
