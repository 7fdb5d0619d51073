"""Scalar quantisation of vectors to eight bits: products with all of them are bound by memory, and read a quarter.

Each row has a scale of its own, its largest entry over 127 (Jégou, Douze & Schmid, "Product Quantization for Nearest
Neighbor Search", PAMI 2011, is the general form). Integer sums do not depend on their order, so the compiler may
vectorise them and both forms still agree to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]

LARGEST = 127
USUAL = 192
"""Rows of so many entries, as iALS has by default, are multiplied by a loop of known length: a quarter less time."""


class Quantised(NamedTuple):
    """Rows of integers, and the quantisation step of each row."""

    codes: NDArray[np.int8]
    """(n, d)"""
    steps: Floats
    """(n,)"""


class Products(NamedTuple):
    """Quantised rows of n items for products with a vector; mean and deviation of all follow from two averages."""

    rows: Quantised
    """(r, d)"""
    place: Rows
    """(n,) row of each item"""
    mean: Floats
    """(d,) of the rows of all items"""
    square: Floats
    """(d, d) mean of the rows' products with themselves"""


def quantise(rows: Floats) -> Quantised:
    """Quantise rows (n, d) to eight bits; the error is at most half a step, 1/254 of the largest entry of the row."""
    steps = np.abs(rows).max(axis=1, initial=0) / np.float32(LARGEST)
    steps = np.where(steps > 0, steps, 1).astype(np.float32)
    return Quantised(np.rint(rows / steps[:, None]).astype(np.int8), steps)


def _multiply(rows: Quantised, place: Rows, wanted: Rows, vector: Floats, rounded: Floats, out: Floats) -> None:
    step = np.float32(np.abs(vector).max(initial=0) / _finest(len(vector))) or np.float32(1)
    codes = np.rint(vector / step)
    rounded[:] = codes * step
    places = place[wanted]
    totals = rows.codes[places].astype(np.int32) @ codes.astype(np.int32)
    out[wanted] = totals.astype(np.float32) * (rows.steps[places] * step)


@compiled(plain=_multiply)
def multiply(rows: Quantised, place: Rows, wanted: Rows, vector: Floats, rounded: Floats, out: Floats) -> None:
    """Write the products of some items' rows with a vector (d,) to ``out`` (n,), at the ``wanted`` items (w,).

    ``place`` (n,) is the row (r, d) of each item. The vector is rounded to so many bits that a product fits into 32,
    and so are all others; it is written to ``rounded`` (d,). The ``out`` of other items stays as it is.
    """
    d = len(vector)
    largest = np.float32(0)
    for j in range(d):
        largest = max(largest, abs(vector[j]))
    step = largest / _finest(d)
    if step == 0:
        step = np.float32(1)
    codes = np.empty(d, np.int16)
    for j in range(d):
        code = np.rint(vector[j] / step)
        codes[j], rounded[j] = np.int16(code), code * step
    for i in range(len(wanted)):
        at = np.uint64(place[wanted[i]])  # without a sign it is not tested for being negative
        row, total = rows.codes[at], np.int32(0)
        if d == USUAL:
            for j in range(USUAL):
                total = np.int32(total + np.int32(np.int32(row[j]) * np.int32(codes[j])))
        else:
            for j in range(d):
                total = np.int32(total + np.int32(np.int32(row[j]) * np.int32(codes[j])))
        out[wanted[i]] = np.float32(total) * np.float32(rows.steps[at] * step)


def _product_moments(products: Products, vector: Floats, mean: Floats, deviation: Floats) -> None:
    mean[0] = products.mean @ vector
    variance = vector @ (products.square @ vector) - mean[0] * mean[0]
    deviation[0] = np.sqrt(variance) if variance > 0 else 1


@compiled(plain=_product_moments, any_order=True)
def product_moments(products: Products, vector: Floats, mean: Floats, deviation: Floats) -> None:
    """Write mean (1,) and standard deviation (1,), 1 if it is 0, of the products of all items with a vector (d,)."""
    average, square = np.float32(0), np.float32(0)
    for i in range(len(vector)):
        average += products.mean[i] * vector[i]
        row, along = products.square[i], np.float32(0)
        for j in range(len(vector)):
            along += row[j] * vector[j]
        square += vector[i] * along
    variance = square - average * average
    mean[0], deviation[0] = average, np.sqrt(variance) if variance > 0 else np.float32(1)


@Subroutine
def _finest(d: int) -> np.float32:
    """Return the largest code of a vector (d,): at most 16 bits, and products with ``Quantised`` rows fit into 32."""
    return np.float32(min(32767, (2**31 - 1) // (LARGEST * max(1, d))))
