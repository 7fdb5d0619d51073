"""What a user's numbers by mark (a genre) come to for items that carry some of the marks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _over_marks(marks: Floats, wanted: Ints, values: Floats, sums: Floats, least: Floats) -> None:
    here = marks[wanted]  # (m, g)
    if here.shape[1]:
        for value, total in zip(values, sums, strict=True):
            total[:] = np.cumsum(here * value, axis=1, dtype=np.float32)[:, -1]  # in order, as the loops add
    least[:] = np.where(here > 0, values[-1], np.float32(1)).min(axis=1, initial=1)


@compiled(plain=_over_marks)
def over_marks(marks: Floats, wanted: Ints, values: Floats, sums: Floats, least: Floats) -> None:
    """Sum each row of ``values`` (v, g) over the marks (n, g; 0 or 1) of the wanted items (m,), to ``sums`` (v, m).

    ``least`` (m,) is the smallest of the last row's values among an item's marks, 1 at most. ``sums`` must be zero.
    """
    v, g = values.shape
    for i in range(len(wanted)):
        smallest = np.float32(1)
        for j in range(g):
            mark = marks[wanted[i], j]
            for row in range(v):
                sums[row, i] += mark * values[row, j]
            smallest = min(smallest, values[v - 1, j] if mark > 0 else np.float32(1))
        least[i] = smallest
