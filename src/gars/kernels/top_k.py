"""Selection of the k largest, ties to the lower position.

The values are dealt into groups: the k-th largest maximum of a group is at most the k-th largest value, and few values
are above it. Both passes over all values have no branch, so that the compiler handles many at a time; only the few are
searched for the k-th largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

GROUPS = 2
"""Groups of values, for each of the k."""
MAGNITUDE = np.int32(0x7FFFFFFF)
"""The bits of a float32 without its sign."""


def _select_top_k(scores: Floats, allowed: Flags, positions: Ints) -> None:
    rows, k = np.flatnonzero(allowed), positions.shape[1]
    positions[:] = -1
    for row, found in zip(scores, positions, strict=True):
        best = np.sort(rows[np.lexsort((rows, -row[rows]))[:k]])
        found[: len(best)] = best


@compiled(plain=_select_top_k)
def select_top_k(scores: Floats, allowed: Flags, positions: Ints) -> None:
    """Write the positions of the k largest allowed scores of each channel to ``positions`` (c, k), ascending, -1 pads.

    Ties go to the lower position. Scores (c, n) are finite.
    """
    n, k = len(allowed), positions.shape[1]
    flags, few, places = np.zeros((n + 7) // 8 * 8, np.bool_), np.empty(n, np.float32), np.empty(n, np.int32)
    for channel in range(len(scores)):
        row = scores[channel]
        positions[channel, :] = -1
        if k > 0 and n > 0:
            threshold = _lower_bound(row, allowed, k)
            count = _collect_above(row, allowed, threshold, flags, few, places)
            if count > k:
                _write_largest(few[:count], places, positions[channel])
            else:
                _write_with_ties(row, allowed, threshold, places[:count], positions[channel])


@Subroutine
def _lower_bound(values: Floats, allowed: Flags, k: int) -> np.float32:
    """Return a value that the k-th largest allowed is not below: the k-th largest maximum of a group, or -∞."""
    n = len(values)
    n_groups = min(n, GROUPS * k)
    if n_groups < k:
        return np.float32(-np.inf)
    largest = np.full(n_groups, -np.inf, np.float32)
    for start in range(0, n, n_groups):
        here, may = values[start : start + n_groups], allowed[start : start + n_groups]
        for i in range(len(here)):
            value = here[i] if may[i] else np.float32(-np.inf)
            largest[i] = value if value > largest[i] else largest[i]
    return _kth_largest(largest, k)


@Subroutine
def _collect_above(
    values: Floats, allowed: Flags, threshold: np.float32, flags: Flags, few: Floats, places: NDArray[np.int32]
) -> int:
    """Write the allowed values above a threshold and their positions, ascending; return their number.

    The number of ``flags`` is a multiple of eight, and those beyond the values are not set.
    """
    for j in range(len(values)):
        flags[j] = (values[j] > threshold) & allowed[j]
    eight, count = flags.view(np.uint64), 0  # most groups have none
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if flags[j]:
                    few[count], places[count] = values[j], j
                    count += 1
    return count


@Subroutine
def _write_largest(few: Floats, places: NDArray[np.int32], positions: Ints) -> None:
    """Write the positions of the k largest of more than k values."""
    threshold, equal, found = _kth_largest(few, len(positions)), len(positions), 0
    for i in range(len(few)):
        equal -= few[i] > threshold
    for i in range(len(few)):
        if few[i] > threshold or (few[i] == threshold and equal > 0):
            equal -= few[i] == threshold
            positions[found] = places[i]
            found += 1


@Subroutine
def _write_with_ties(
    values: Floats, allowed: Flags, threshold: np.float32, places: NDArray[np.int32], positions: Ints
) -> None:
    """Write the positions of at most k values above a threshold, and of the first that equal it until there are k."""
    found, tied = 0, 0
    missing = len(positions) - len(places) if threshold > np.float32(-np.inf) else 0
    for i in range(len(places) + 1):
        end = places[i] if i < len(places) else len(values)
        while missing > 0 and tied < end:
            if values[tied] == threshold and allowed[tied]:
                positions[found] = tied
                found += 1
                missing -= 1
            tied += 1
        if i < len(places):
            positions[found] = places[i]
            found += 1


@Subroutine
def _kth_largest(values: Floats, k: int) -> np.float32:
    """Return the k-th largest value, k from 1 to their number, by bisection.

    The bits of floats, with those of negative ones inverted, are integers in the same order. A count of those above a
    threshold handles many at a time, where a selection would mispredict every other comparison.
    """
    bits, keys = values.view(np.int32), np.empty(len(values), np.int32)
    for i in range(len(keys)):
        keys[i] = bits[i] ^ ((bits[i] >> np.int32(31)) & MAGNITUDE)
    low = high = np.int64(keys[0])
    for i in range(len(keys)):
        low, high = min(low, np.int64(keys[i])), max(high, np.int64(keys[i]))
    while low < high:
        middle = low + (high - low + 1) // 2
        threshold, count = np.int32(middle), np.int32(0)
        for i in range(len(keys)):
            count = np.int32(count + np.int32(keys[i] >= threshold))
        if count >= k:
            low = middle
        else:
            high = middle - 1
    keys[0] = np.int32(low)
    keys[0] ^= (keys[0] >> np.int32(31)) & MAGNITUDE
    found: np.float32 = keys.view(np.float32)[0]
    return found
