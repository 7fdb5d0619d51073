"""Vectors in eight bits an entry: a quarter of the memory to read, which is what a product with all of them costs.

Each row has a scale of its own, its largest entry over 127 (Jégou, Douze & Schmid, "Product Quantization for Nearest
Neighbor Search", PAMI 2011, is the general form). Whole numbers add up to the same sum in any order, so the compiler
may take many at a time and both forms still agree to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled

Floats = NDArray[np.float32]

LARGEST = 127


class Quantised(NamedTuple):
    """Rows of whole numbers, and what one step of each row is worth."""

    codes: NDArray[np.int8]
    """(n, d)"""
    steps: Floats
    """(n,)"""


def quantise(rows: Floats) -> Quantised:
    """Rows (n, d) in eight bits; an entry is off by half a step at most, 1/254 of the largest of its row."""
    steps = np.abs(rows).max(axis=1, initial=0) / np.float32(LARGEST)
    steps = np.where(steps > 0, steps, 1).astype(np.float32)
    return Quantised(np.rint(rows / steps[:, None]).astype(np.int8), steps)


def dot(rows: Quantised, vector: Floats) -> Floats:
    """The product of every row with a vector, which keeps 16 bits. (n, d), (d,) → (n,)"""
    out = np.zeros(len(rows.codes), np.float32)
    finest = min(32767, (2**31 - 1) // (LARGEST * max(1, len(vector))))  # the sum fits into 32 bits
    step = np.abs(vector).max(initial=0) / np.float32(finest)
    if step > 0:
        multiply(rows, np.rint(vector / step).astype(np.int16), step, out)
    return out


def _multiply(rows: Quantised, vector: NDArray[np.int16], step: np.float32, out: Floats) -> None:
    totals = rows.codes.astype(np.int32) @ vector.astype(np.int32)
    out[:] = totals.astype(np.float32) * (rows.steps * step)


@compiled(plain=_multiply)
def multiply(rows: Quantised, vector: NDArray[np.int16], step: np.float32, out: Floats) -> None:
    """Write the product of every row with a vector (d,) of steps of this size to ``out`` (n,)."""
    n, d = rows.codes.shape
    for i in range(n):
        total = np.int32(0)
        for j in range(d):
            total = np.int32(total + np.int32(np.int32(rows.codes[i, j]) * np.int32(vector[j])))
        out[i] = np.float32(total) * np.float32(rows.steps[i] * step)
