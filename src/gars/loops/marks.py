"""What a user's numbers by mark (a genre) come to for items that carry a few of the marks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Marks(NamedTuple):
    """The marks of items, one item after the other."""

    starts: NDArray[np.int32]
    """(n + 1,)"""
    codes: NDArray[np.int16]
    """(t,) of marks, ascending within an item."""


def marks_of(flags: Floats) -> Marks:
    """The marks of flags (n, g), 0 where an item does not carry one."""
    rows, codes = np.nonzero(flags)
    # the shorter, the more of them stay in the cache
    return Marks(np.searchsorted(rows, np.arange(len(flags) + 1)).astype(np.int32), codes.astype(np.int16))


def _over_marks(marks: Marks, wanted: Ints, values: Floats, sums: Floats, least: Floats) -> None:
    lengths = marks.starts[wanted + 1] - marks.starts[wanted]
    source = np.repeat(np.arange(len(wanted)), lengths)
    first = np.cumsum(lengths) - lengths
    codes = marks.codes[marks.starts[wanted][source] + np.arange(len(source)) - first[source]]
    for value, total in zip(values, sums, strict=True):
        np.add.at(total, source, value[codes])
    least[:] = np.where(lengths > 0, np.float32(np.inf), 0)
    np.minimum.at(least, source, values[-1, codes])


@compiled(plain=_over_marks)
def over_marks(marks: Marks, wanted: Ints, values: Floats, sums: Floats, least: Floats) -> None:
    """Sum each row of ``values`` (v, g) over the marks of the wanted items (m,), to ``sums`` (v, m).

    ``least`` (m,) is the smallest of the last row's values among an item's marks, 0 without any. ``sums`` must be zero.
    """
    v = len(values)
    for i in range(len(wanted)):
        start, end = marks.starts[wanted[i]], marks.starts[wanted[i] + 1]
        smallest = np.float32(np.inf) if end > start else np.float32(0)
        for place in range(start, end):
            code = marks.codes[place]
            for row in range(v):
                sums[row, i] += values[row, code]
            smallest = min(smallest, values[v - 1, code])
        least[i] = smallest
