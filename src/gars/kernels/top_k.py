"""Selection of the k largest, ties to the lower position.

The k-th largest of a whole channel is bracketed by counting the values above a threshold, which the compiler does for
sixteen values at a time without a branch. Only the few values inside the bracket are partitioned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

FEW = 32
"""A bracket of at most this many values is partitioned."""
MAX_STEPS, MAX_BISECTIONS = 12, 16
"""Where many values are equal no threshold separates them, so both searches end."""


def _mark_top_k(scores: Floats, start: Floats, step: Floats, allowed: Flags, k: int, marked: Flags) -> None:
    del start, step  # a sort needs no guess
    rows = np.flatnonzero(allowed)
    for row, marked_row in zip(scores, marked, strict=True):
        marked_row[rows[np.lexsort((rows, -row[rows]))[: max(0, k)]]] = True


@compiled(plain=_mark_top_k)
def mark_top_k(scores: Floats, start: Floats, step: Floats, allowed: Flags, k: int, marked: Flags) -> None:
    """Mark the k largest allowed scores of each channel in ``marked`` (c, n), all False; ties go to the lower row.

    ``start`` (c,) is a guess of the k-th largest and ``step`` (c,) > 0 the width of the search around it: any will do,
    a good guess is fast. Scores (c, n) are finite.
    """
    n = len(allowed)
    n_allowed = 0
    for j in range(n):
        n_allowed += allowed[j]
    values = np.empty(n, np.float32)
    for channel in range(len(scores)):
        if n_allowed <= k:
            marked[channel] = allowed
        elif k > 0:
            for j in range(n):
                values[j] = scores[channel, j] if allowed[j] else np.float32(-np.inf)
            low, high, n_high = _bracket(values, start[channel], step[channel], k, n_allowed)
            inside = np.zeros((n + 7) // 8 * 8, np.bool_)
            for j in range(n):
                marked[channel, j] = values[j] > high
                inside[j] = (values[j] > low) & (values[j] <= high)
            between = _flagged(inside)
            for position in _top_k(values[between], k - n_high):
                marked[channel, between[position]] = True


@Subroutine
def _bracket(
    values: Floats, start: np.float32, step: np.float32, k: int, n_allowed: int
) -> tuple[np.float32, np.float32, int]:
    """Return ``(low, high, values above high)``: at least k are above ``low``, fewer than k above ``high``."""
    low = high = start
    n_low = n_high = _count_above(values, start)
    steps = 0
    while n_low < k and steps < MAX_STEPS:
        high, n_high = low, n_low
        low = np.float32(low - step)
        n_low = _count_above(values, low)
        step, steps = np.float32(2 * step), steps + 1
    while n_high >= k and steps < MAX_STEPS:
        low, n_low = high, n_high
        high = np.float32(high + step)
        n_high = _count_above(values, high)
        step, steps = np.float32(2 * step), steps + 1
    if n_low < k:
        low, n_low = np.float32(-np.inf), n_allowed
    if n_high >= k:
        high, n_high = np.float32(np.inf), 0
    bisections = 0
    while n_low - n_high > FEW and bisections < MAX_BISECTIONS and high - low < np.float32(np.inf):
        middle = np.float32(low + np.float32(0.5) * (high - low))
        n_middle = _count_above(values, middle)
        if n_middle >= k:
            low, n_low = middle, n_middle
        else:
            high, n_high = middle, n_middle
        bisections += 1
    return low, high, n_high


@Subroutine
def _count_above(values: Floats, threshold: np.float32) -> int:
    count = np.int32(0)
    for j in range(len(values)):
        count = np.int32(count + np.int32(values[j] > threshold))
    return int(count)


@Subroutine
def _flagged(flags: Flags) -> Ints:
    """Return the positions of the flags that are set, ascending; the number of flags is a multiple of eight."""
    eight = flags.view(np.uint64)  # most groups have none
    positions = np.empty(len(flags), np.int64)
    found = 0
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if flags[j]:
                    positions[found] = j
                    found += 1
    return positions[:found]


@Subroutine
def _top_k(values: Floats, k: int) -> Ints:
    """Return the positions of the k largest values, ascending; ties go to the lower position."""
    n = len(values)
    if n <= k:
        return np.arange(n)
    threshold = values.min()
    if threshold < values.max():  # else partition would go over equal values again and again
        threshold = np.partition(values, n - k)[n - k] if k > 0 else np.float32(np.inf)
    equal = k
    for i in range(n):
        equal -= values[i] > threshold
    positions = np.empty(max(k, 0), np.int64)
    found = 0
    for i in range(n):
        if values[i] > threshold or (values[i] == threshold and equal > 0):
            equal -= values[i] == threshold
            positions[found] = i
            found += 1
    return positions[:found]


def _union(flags: Flags, columns: Ints) -> int:
    found = np.flatnonzero(flags.any(axis=0))
    columns[: len(found)] = found
    return len(found)


@compiled(plain=_union)
def union(flags: Flags, columns: Ints) -> int:
    """Write the columns of ``flags`` (c, n) that are set in any row to ``columns``, ascending; return their number.

    ``columns`` must have room for each of them.
    """
    c, n = flags.shape
    in_any = np.zeros((n + 7) // 8 * 8, np.bool_)
    for row in range(c):
        for j in range(n):
            in_any[j] |= flags[row, j]
    found = _flagged(in_any)
    for i in range(len(found)):
        columns[i] = found[i]
    return len(found)
