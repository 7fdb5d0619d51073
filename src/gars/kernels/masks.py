"""Masks over all items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled

Flags = NDArray[np.bool_]
Rows = NDArray[np.int32]


def _clear_unless(mask: Flags, rows: Rows, keys: Rows, flags: Flags) -> None:
    mask[rows] &= flags[keys]


@compiled(plain=_clear_unless)
def clear_unless(mask: Flags, rows: Rows, keys: Rows, flags: Flags) -> None:
    """Clear the mask (n,) at some different rows (m,) where the flag (k,) of the row's key (m,) is not set."""
    for i in range(len(rows)):
        mask[rows[i]] &= flags[keys[i]]
