"""Sums of a user's values by category (a genre) over the categories of each item."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Categories(NamedTuple):
    """The category codes of n items, one item after the other."""

    indptr: NDArray[np.int32]
    """(n + 1,)"""
    codes: NDArray[np.int16]
    """(t,) ascending within an item."""


def categories_of(flags: Floats) -> Categories:
    """Convert flags (n, g), 0 where an item is not of a category, to the codes of each item."""
    rows, codes = np.nonzero(flags)
    # short integers, so that more of them stay in the cache
    return Categories(np.searchsorted(rows, np.arange(len(flags) + 1)).astype(np.int32), codes.astype(np.int16))


def _sum_by_category(categories: Categories, items: Ints, values: Floats, sums: Floats, least: Floats) -> None:
    lengths = categories.indptr[items + 1] - categories.indptr[items]
    source = np.repeat(np.arange(len(items)), lengths)
    first = np.cumsum(lengths) - lengths
    codes = categories.codes[categories.indptr[items][source] + np.arange(len(source)) - first[source]]
    for value, total in zip(values, sums, strict=True):
        np.add.at(total, source, value[codes])
    least[:] = np.where(lengths > 0, np.float32(np.inf), 0)
    np.minimum.at(least, source, values[-1, codes])


@compiled(plain=_sum_by_category)
def sum_by_category(categories: Categories, items: Ints, values: Floats, sums: Floats, least: Floats) -> None:
    """Sum each row of ``values`` (v, g) over the categories of some items (m,), to ``sums`` (v, m).

    ``least`` (m,) is the smallest of the last row's values among an item's categories, 0 without any. ``sums`` must be
    zero.
    """
    v = len(values)
    for i in range(len(items)):
        start, end = categories.indptr[items[i]], categories.indptr[items[i] + 1]
        smallest = np.float32(np.inf) if end > start else np.float32(0)
        for entry in range(start, end):
            code = categories.codes[entry]
            for row in range(v):
                sums[row, i] += values[row, code]
            smallest = min(smallest, values[v - 1, code])
        least[i] = smallest
