"""Popularity: the same list for everybody. The baseline, and the last fallback."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def fit(matrix: sp.csr_array) -> NDArray[np.float32]:
    """Log popularity of each item. (users, items) → (items,)"""
    return np.log1p(np.asarray(matrix.sum(axis=0), np.float32))
