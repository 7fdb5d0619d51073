"""Scalar quantisation of vectors to eight bits: products with all of them are bound by memory, and read a quarter.

Each row has a scale of its own, its largest entry over 127 (Jégou, Douze & Schmid, "Product Quantization for Nearest
Neighbor Search", PAMI 2011, is the general form). Integer sums do not depend on their order, so the compiler may
vectorise them and both forms still agree to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

LARGEST = 127
USUAL = 192
"""Rows of so many entries, as iALS has by default, are multiplied by a loop of known length: a quarter less time."""


class Quantised(NamedTuple):
    """Rows of integers, and the quantisation step of each row."""

    codes: NDArray[np.int8]
    """(n, d)"""
    steps: Floats
    """(n,)"""


def quantise(rows: Floats) -> Quantised:
    """Quantise rows (n, d) to eight bits; the error is at most half a step, 1/254 of the largest entry of the row."""
    steps = np.abs(rows).max(axis=1, initial=0) / np.float32(LARGEST)
    steps = np.where(steps > 0, steps, 1).astype(np.float32)
    return Quantised(np.rint(rows / steps[:, None]).astype(np.int8), steps)


def quantise_vector(vector: Floats) -> tuple[NDArray[np.int16], np.float32]:
    """Quantise a vector (d,) to at most 16 bits, so that products with ``Quantised`` rows fit into 32. → (d,), step"""
    finest = min(32767, (2**31 - 1) // (LARGEST * max(1, len(vector))))
    largest = np.abs(vector).max(initial=0)
    step = np.float32(largest / np.float32(finest)) or np.float32(1)
    return np.rint(vector / step).astype(np.int16), step


def _multiply(
    rows: Quantised, items: Ints, wanted: Flags, vector: NDArray[np.int16], step: np.float32, out: Floats
) -> None:
    kept = np.flatnonzero(wanted[items])
    totals = rows.codes[kept].astype(np.int32) @ vector.astype(np.int32)
    out[items[kept]] = totals.astype(np.float32) * (rows.steps[kept] * step)


@compiled(plain=_multiply)
def multiply(
    rows: Quantised, items: Ints, wanted: Flags, vector: NDArray[np.int16], step: np.float32, out: Floats
) -> None:
    """Write the products of rows (r, d) with a quantised vector (d,) of the given step to ``out`` (n,).

    ``items`` (r,) are the items of the rows. The ``out`` of items without a row and of those that are not ``wanted``
    (n,) stays as it is.
    """
    r, d = rows.codes.shape
    kept, count = np.empty(r + 1, np.int32), 0
    for i in range(r):  # without a branch, which would be mispredicted often
        kept[count] = i
        count += wanted[items[i]]
    for place in range(count):
        i = kept[place]
        total = np.int32(0)
        if d == USUAL:
            for j in range(USUAL):
                total = np.int32(total + np.int32(np.int32(rows.codes[i, j]) * np.int32(vector[j])))
        else:
            for j in range(d):
                total = np.int32(total + np.int32(np.int32(rows.codes[i, j]) * np.int32(vector[j])))
        out[items[i]] = np.float32(total) * np.float32(rows.steps[i] * step)
