"""Sums over the lists of similar users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled
from gars.kernels.neighbours import CSR, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LANES = 8
"""Partial sums of a dot product, so that the compiler handles as many products at a time."""


def _add_lists(users: Floats, direction: Floats, squared: int, nearest: Ints, lists: CSR, out: Floats) -> None:
    nearest, d = nearest[nearest >= 0], len(direction)
    products = np.zeros((len(nearest), -(-d // LANES) * LANES), np.float32)
    products[:, :d] = users[nearest] * direction
    # accumulate adds one after the other, as the loops do
    lanes = np.add.accumulate(products.reshape(len(nearest), -1, LANES), axis=1)[:, -1]
    weights = np.maximum(np.add.accumulate(lanes, axis=1)[:, -1], np.float32(0))
    for _ in range(squared):
        weights = weights * weights
    entry, source = entries_of(lists, nearest)
    np.add.at(out, lists.indices[entry], lists.data[entry] * weights[source])


@compiled(plain=_add_lists)
def add_lists(users: Floats, direction: Floats, squared: int, nearest: Ints, lists: CSR, out: Floats) -> None:
    """Add the lists (u, n) of some users (k,), -1 pads, to ``out`` (n,), each with a weight.

    The weight is the product of the user's vector (u, d) and ``direction`` (d,), at least 0, squared so many times.
    """
    for i in range(len(nearest)):
        if nearest[i] >= 0:
            weight = max(_dot(users, nearest[i], direction), np.float32(0))
            for _ in range(squared):
                weight *= weight
            for entry in range(lists.indptr[nearest[i]], lists.indptr[nearest[i] + 1]):
                out[lists.indices[entry]] += lists.data[entry] * weight


@Subroutine
def _dot(rows: Floats, row: int, vector: Floats) -> np.float32:
    """Return the dot product of a row and a vector (d,), summed in ``LANES`` parts."""
    d = len(vector)
    whole = d // LANES * LANES
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
    for j in range(0, whole, LANES):
        s0 += rows[row, j] * vector[j]
        s1 += rows[row, j + 1] * vector[j + 1]
        s2 += rows[row, j + 2] * vector[j + 2]
        s3 += rows[row, j + 3] * vector[j + 3]
        s4 += rows[row, j + 4] * vector[j + 4]
        s5 += rows[row, j + 5] * vector[j + 5]
        s6 += rows[row, j + 6] * vector[j + 6]
        s7 += rows[row, j + 7] * vector[j + 7]
    lanes = (s0, s1, s2, s3, s4, s5, s6, s7)
    total = np.float32(0)
    for lane in range(LANES):
        part = np.float32(lanes[lane])
        if whole + lane < d:
            part += rows[row, whole + lane] * vector[whole + lane]
        total += part
    return total
