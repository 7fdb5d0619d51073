"""Category codes (genres) of items, one item after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Categories(NamedTuple):
    """The category codes of n items."""

    indptr: NDArray[np.int32]
    """(n + 1,)"""
    codes: NDArray[np.int16]
    """(t,) ascending within an item."""


def categories_of(flags: Floats) -> Categories:
    """Convert flags (n, g), 0 where an item is not of a category, to the codes of each item."""
    rows, codes = np.nonzero(flags)
    # short integers, so that more of them stay in the cache
    return Categories(np.searchsorted(rows, np.arange(len(flags) + 1)).astype(np.int32), codes.astype(np.int16))


def category_entries(categories: Categories, items: Ints) -> tuple[NDArray[np.int16], Ints]:
    """Return the codes of some items (m,), one item after the other, and the index of each one's item. → (t,), (t,)"""
    starts = categories.indptr[items]
    lengths = categories.indptr[items + 1] - starts
    source = np.repeat(np.arange(len(items)), lengths)
    first = np.cumsum(lengths) - lengths
    return categories.codes[starts[source] + np.arange(len(source)) - first[source]], source
