"""The k largest of many, ties to the lower position: what each channel proposes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]


def _propose(
    scores: Floats, start: Floats, step: Floats, allowed: NDArray[np.bool_], k: int, proposed: NDArray[np.bool_]
) -> None:
    n = len(allowed)
    del step  # looking once is enough here
    for row, ahead_of, named in zip(scores, start, proposed, strict=True):
        some = allowed & (row > ahead_of)
        rows = np.flatnonzero(some if some.sum() >= k else allowed)
        best = rows[np.lexsort((rows, -row[rows]))[:k]] if k < n else rows
        named[best] = True


@compiled(plain=_propose)
def propose(
    scores: Floats, start: Floats, step: Floats, allowed: NDArray[np.bool_], k: int, proposed: NDArray[np.bool_]
) -> None:
    """Mark the k best allowed items of each channel in ``proposed`` (c, n), all False; ties go to the lower row.

    Where at least k items are above ``start`` (c,), the k-th largest of all is the k-th largest of those, so that most
    items are never looked at twice. While there are many, those a ``step`` (c,) further ahead are tried.
    """
    c, n = scores.shape
    if k <= 0:
        return
    may, rows = np.empty((2, n), np.int32)
    values = np.empty(n, np.float32)
    # written whether it counts or not, and then counted: faster than asking first
    several = 0
    for j in range(n):
        may[several] = j
        several += allowed[j]
    for channel in range(c):
        found = 0
        for place in range(several):
            j = may[place]
            rows[found] = j
            found += scores[channel, j] > start[channel]
        if found < k:
            found = several
            rows[:found] = may[:found]
        ahead = start[channel]
        while found > 2 * k:
            ahead += step[channel]
            fewer = 0
            for place in range(found):
                fewer += scores[channel, rows[place]] > ahead
            if fewer < k or fewer == found:
                break
            kept = 0
            for place in range(found):
                j = rows[place]
                rows[kept] = j
                kept += scores[channel, j] > ahead
            found = fewer
        if found <= k:
            for place in range(found):
                proposed[channel, rows[place]] = True
            continue
        for place in range(found):
            values[place] = scores[channel, rows[place]]
        smallest = np.partition(values[:found], found - k)[found - k]
        left = k
        for place in range(found):
            if values[place] > smallest:
                proposed[channel, rows[place]] = True
                left -= 1
        for place in range(found):
            if left > 0 and values[place] == smallest:
                proposed[channel, rows[place]] = True
                left -= 1
