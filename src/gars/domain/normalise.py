"""Unit vectors and standard scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALLEST = float(np.finfo(np.float32).tiny)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; zeros stay zeros. (n, dim) → (n, dim)"""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), np.float32)


def standardise(values: NDArray[np.floating[Any]], *, least: float = _SMALLEST) -> NDArray[np.float32]:
    """Shift and scale to mean 0 and deviation 1 over the finite values, 0 for others. (n,) → (n,)

    A deviation below ``least`` counts as that.
    """
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), np.float32)
    centred = np.where(known, values - values[known].mean(), 0)
    return np.asarray(centred / max(float(values[known].std()), least), np.float32)
