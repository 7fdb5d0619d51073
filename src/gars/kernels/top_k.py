"""Selection of the k largest, ties to the lower position.

The values are dealt into groups: the k-th largest maximum of a group is at most the k-th largest value, and few values
are above it. Both passes over the values of the rows, side by side in a copy, have no branch, so that the compiler
handles many at a time; only the few are searched for the k-th largest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Rows = NDArray[np.int32]

GROUPS = 2
"""Groups of values, for each of the k."""
MAGNITUDE = np.int32(0x7FFFFFFF)
"""The bits of a float32 without its sign."""


def _flagged(flags: Flags, rows: Rows) -> int:
    found = np.flatnonzero(flags)
    rows[: len(found)], rows[len(found)] = found, 0
    return len(found)


@compiled(plain=_flagged)
def flagged(flags: Flags, rows: Rows) -> int:
    """Write the positions of the set flags (n,) to ``rows`` (n + 1,), ascending, then a 0; return their number."""
    count = 0
    for i in range(len(flags)):  # without a branch, which would be mispredicted often
        rows[count] = i
        count += flags[i]
    rows[count] = 0
    return count


def _first_allowed(order: Rows, allowed: Flags, positions: Ints) -> None:
    found = order[allowed[order]][: len(positions)]
    positions[:] = -1
    positions[: len(found)] = found


@compiled(plain=_first_allowed)
def first_allowed(order: Rows, allowed: Flags, positions: Ints) -> None:
    """Write the first k of ``order`` (n,) that are allowed (n,) to ``positions`` (k,), -1 pads."""
    positions[:] = -1
    found = 0
    for i in range(len(order)):
        if found == len(positions):
            return
        if allowed[order[i]]:
            positions[found] = order[i]
            found += 1


def _select_top_k(scores: Floats, rows: Rows, positions: Ints) -> None:
    k = positions.shape[1]
    positions[:] = -1
    for row, found in zip(scores, positions, strict=True):
        best = np.sort(rows[np.lexsort((rows, -row[rows]))[:k]])
        found[: len(best)] = best


@compiled(plain=_select_top_k)
def select_top_k(scores: Floats, rows: Rows, positions: Ints) -> None:
    """Write those of some rows (w,) with the k largest scores of each channel to ``positions`` (c, k), -1 pads.

    The rows are ascending, and so are the positions; ties go to the lower one. Scores (c, n) are finite.
    """
    w, k = len(rows), positions.shape[1]
    values, flags = np.empty(w, np.float32), np.zeros((w + 7) // 8 * 8, np.bool_)
    few, places = np.empty(w, np.float32), np.empty(w, np.int32)
    for channel in range(len(scores)):
        row, best = scores[channel], positions[channel]
        best[:] = -1
        if k > 0 and w > 0:
            for i in range(w):
                values[i] = row[rows[i]]
            threshold = _lower_bound(values, k)
            count = _collect_above(values, threshold, flags, few, places)
            if count > k:
                _write_largest(few[:count], places, best)
            else:
                _write_with_ties(values, threshold, places[:count], best)
            for i in range(min(k, w)):
                best[i] = rows[best[i]]


@Subroutine
def _lower_bound(values: Floats, k: int) -> np.float32:
    """Return a value that the k-th largest is not below: the k-th largest maximum of a group, or -∞."""
    n = len(values)
    n_groups = min(n, GROUPS * k)
    if n_groups < k:
        return np.float32(-np.inf)
    largest = np.full(n_groups, -np.inf, np.float32)
    for start in range(0, n, n_groups):
        here = values[start : start + n_groups]
        for i in range(len(here)):
            largest[i] = here[i] if here[i] > largest[i] else largest[i]
    return _kth_largest(largest, k)


@Subroutine
def _collect_above(values: Floats, threshold: np.float32, flags: Flags, few: Floats, places: NDArray[np.int32]) -> int:
    """Write the values above a threshold and their positions, ascending; return their number.

    The number of ``flags`` is a multiple of eight, and those beyond the values are not set.
    """
    for j in range(len(values)):
        flags[j] = values[j] > threshold
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
def _write_with_ties(values: Floats, threshold: np.float32, places: NDArray[np.int32], positions: Ints) -> None:
    """Write the positions of at most k values above a threshold, and of the first that equal it until there are k."""
    found, tied = 0, 0
    missing = len(positions) - len(places) if threshold > np.float32(-np.inf) else 0
    for i in range(len(places) + 1):
        end = places[i] if i < len(places) else len(values)
        while missing > 0 and tied < end:
            if values[tied] == threshold:
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
