"""The k largest of many, ties to the lower position: what each channel proposes.

The k-th largest is closed in from both sides by counting how many are above a value, which the compiler does for
sixteen at a time and without a guess about any single one. Only the few between the last two values are put in order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import Part, compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

FEW = 32
"""So many between the two values are worth putting in order."""
MOST_STEPS, MOST_HALVINGS = 12, 16
"""Where many are equal no value between them tells them apart, so both searches end."""


def _propose(scores: Floats, start: Floats, step: Floats, allowed: Flags, k: int, proposed: Flags) -> None:
    del start, step  # sorting needs no guess
    rows = np.flatnonzero(allowed)
    for row, named in zip(scores, proposed, strict=True):
        named[rows[np.lexsort((rows, -row[rows]))[: max(0, k)]]] = True


@compiled(plain=_propose)
def propose(scores: Floats, start: Floats, step: Floats, allowed: Flags, k: int, proposed: Flags) -> None:
    """Mark the k best allowed items of each channel in ``proposed`` (c, n), all False; ties go to the lower row.

    ``start`` (c,) is a guess of the k-th largest and ``step`` (c,) > 0 how far to look from there: any will do, a good
    one is fast. Scores (c, n) are finite.
    """
    n = len(allowed)
    several = 0
    for j in range(n):
        several += allowed[j]
    values = np.empty(n, np.float32)
    for channel in range(len(scores)):
        if several <= k:
            proposed[channel] = allowed
        elif k > 0:
            for j in range(n):
                values[j] = scores[channel, j] if allowed[j] else np.float32(-np.inf)
            low, high, n_high = _closed_in(values, start[channel], step[channel], k, several)
            for j in range(n):
                proposed[channel, j] = values[j] > high
            _mark_best(values, _between(values, low, high), k - n_high, proposed[channel])


@Part
def _closed_in(
    values: Floats, start: np.float32, step: np.float32, k: int, several: int
) -> tuple[np.float32, np.float32, int]:
    """``(low, high, how many are above high)``: at least k are above ``low``, fewer than k above ``high``."""
    low = high = start
    n_low = n_high = _count_above(values, start)
    steps = 0
    while n_low < k and steps < MOST_STEPS:
        high, n_high = low, n_low
        low = np.float32(low - step)
        n_low = _count_above(values, low)
        step, steps = np.float32(2 * step), steps + 1
    while n_high >= k and steps < MOST_STEPS:
        low, n_low = high, n_high
        high = np.float32(high + step)
        n_high = _count_above(values, high)
        step, steps = np.float32(2 * step), steps + 1
    if n_low < k:
        low, n_low = np.float32(-np.inf), several
    if n_high >= k:
        high, n_high = np.float32(np.inf), 0
    halvings = 0
    while n_low - n_high > FEW and halvings < MOST_HALVINGS and high - low < np.float32(np.inf):
        middle = np.float32(low + np.float32(0.5) * (high - low))
        n_middle = _count_above(values, middle)
        if n_middle >= k:
            low, n_low = middle, n_middle
        else:
            high, n_high = middle, n_middle
        halvings += 1
    return low, high, n_high


@Part
def _count_above(values: Floats, bound: np.float32) -> int:
    count = np.int32(0)
    for j in range(len(values)):
        count = np.int32(count + np.int32(values[j] > bound))
    return int(count)


@Part
def _between(values: Floats, low: np.float32, high: np.float32) -> NDArray[np.int32]:
    """The places of values above ``low`` and not above ``high``, ascending."""
    n = len(values)
    inside = np.zeros((n + 7) // 8 * 8, np.bool_)
    for j in range(n):
        inside[j] = (values[j] > low) & (values[j] <= high)
    eight = inside.view(np.uint64)  # most have nobody
    places = np.empty(n, np.int32)
    found = 0
    for group in range(len(eight)):
        if eight[group]:
            for j in range(8 * group, 8 * group + 8):
                if inside[j]:
                    places[found] = j
                    found += 1
    return places[:found]


@Part
def _mark_best(values: Floats, places: NDArray[np.int32], left: int, marked: Flags) -> None:
    """Mark the best ``left`` of some places that ascend, ties to the lower."""
    found = len(places)
    if found <= left:
        for i in range(found):
            marked[places[i]] = True
        return
    here = values[places]
    smallest = here.min()
    if smallest < here.max():  # else partition would go over equal values again and again
        smallest = np.partition(here, found - left)[found - left]
    for i in range(found):
        if here[i] > smallest:
            marked[places[i]] = True
            left -= 1
    for i in range(found):
        if left > 0 and here[i] == smallest:
            marked[places[i]] = True
            left -= 1
