"""Selection and sorting of the largest: neighbour lists are cut and lists are ordered by these functions.

``gars.kernels.top_k`` selects the k largest of whole channels, compiled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOWEST = np.finfo(np.float32).min
_ID_BITS = 31


def top_k(scores: NDArray[np.float32], ids: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the positions of the k largest finite scores, ordered by ``(-score, id)``. (n,) → (≤ k,)"""
    if 0 < k < len(scores):
        # negated, because numpy selects near the start of an array with many equal values much faster
        threshold = -np.partition(-scores, k - 1)[k - 1]
        kept = np.flatnonzero(scores >= max(threshold, _LOWEST))  # ties at the threshold are resolved by id below
    else:
        kept = np.flatnonzero(scores >= _LOWEST)
    return kept[np.lexsort((ids[kept], -scores[kept]))][:k]


def top_k_mask(weights: NDArray[np.float32], k: int, *, by_magnitude: bool = False) -> NDArray[np.bool_]:
    """Mask the k largest entries of each row, without zeros; ties go to the lower column. (m, n) → (m, n)"""
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


def argsort_descending(scores: NDArray[np.float32], ids: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Return positions by ``(-score, id)`` for ids (m,) from 0 to 2³¹, by ``(-score, position)`` without ids.

    (…, m) → (…, m). One sort of integers: the score's bits, inverted so that a larger score is a smaller number, above
    the id.
    """
    bits = (np.ascontiguousarray(scores) + np.float32(0)).view(np.int32)  # + 0 makes one zero of -0 and 0
    descending = bits >> 31  # all bits of a negative one
    descending &= 0x7FFFFFFF
    descending ^= bits
    np.invert(descending, out=descending)
    keys = descending.astype(np.int64)
    keys <<= _ID_BITS
    if ids is not None:
        keys |= ids
        return np.argsort(keys, axis=-1)
    keys |= np.arange(scores.shape[-1])
    keys.sort(axis=-1)  # several times faster than an argsort, and the positions are in the keys
    keys &= (1 << _ID_BITS) - 1
    return keys
