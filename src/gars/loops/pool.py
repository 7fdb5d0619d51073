"""The best items by a weighted sum of channels, without a sort of all items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import Part, compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

TINY = np.float32(1e-12)


def _best_of_sum(scores: Floats, weights: Floats, allowed: Flags, scale: Floats, places: Ints) -> int:
    k = len(places)
    rows = np.flatnonzero(allowed & (scores[:-1] != 0).any(axis=0))
    if len(rows) < k:
        rows = np.flatnonzero(allowed)
    total = np.zeros(len(rows), np.float32)
    for channel, weight in enumerate(weights):
        here = scores[channel, rows]
        scale[channel] = np.maximum(np.abs(here).max(initial=0), TINY)
        total += here * np.float32(weight / scale[channel])
    best = np.sort(rows[np.lexsort((rows, -total))[:k]])
    places[: len(best)] = best
    return len(best)


@compiled(plain=_best_of_sum)
def best_of_sum(scores: Floats, weights: Floats, allowed: Flags, scale: Floats, places: Ints) -> int:
    """Write the allowed items with the largest ``Σ_c weights[c] · scores[c] / scale[c]`` to ``places``, ascending.

    Items that no channel but the last scores are only looked at where there are too few others. ``scale`` (c,) is
    written first: the largest absolute score of the channel among the items looked at, at least a trace. Scores (c, n)
    are finite; ties go to the lower item. Returns how many places were written: fewer than there are where fewer items
    are allowed.
    """
    n = len(allowed)
    flags = np.zeros((n + 7) // 8 * 8, np.bool_)
    for channel in range(len(scores) - 1):
        for j in range(n):
            flags[j] |= scores[channel, j] != 0
    for j in range(n):
        flags[j] &= allowed[j]
    rows = _marked(flags)
    if len(rows) < len(places):
        flags[:n] = allowed
        rows = _marked(flags)
    total = np.zeros(len(rows), np.float32)
    for channel in range(len(scores)):
        here = scores[channel][rows]
        largest = np.float32(0)
        for value in here:
            largest = max(largest, np.abs(value))
        scale[channel] = max(largest, TINY)
        factor = np.float32(weights[channel] / scale[channel])
        for i in range(len(here)):
            total[i] += np.float32(here[i] * factor)
    return _keep_largest(rows, total, places)


@Part
def _marked(flags: Flags) -> Ints:
    """Places of the flags that are set, ascending; their number is a multiple of eight."""
    eight = flags.view(np.uint64)  # most groups have none
    rows = np.empty(len(flags), np.int64)
    found = 0
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if flags[j]:
                    rows[found] = j
                    found += 1
    return rows[:found]


@Part
def _keep_largest(rows: Ints, values: Floats, places: Ints) -> int:
    k, found = len(places), len(rows)
    if found <= k:
        places[:found] = rows
        return found
    bound = np.partition(values, found - k)[found - k]
    equal = k
    for i in range(found):
        equal -= values[i] > bound
    written = 0
    for i in range(found):
        if values[i] > bound or (values[i] == bound and equal > 0):
            equal -= values[i] == bound
            places[written] = rows[i]
            written += 1
    return written
