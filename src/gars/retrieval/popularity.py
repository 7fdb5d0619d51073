"""Popularity: the same scores for every user. The baseline, and the last fallback."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

FEWEST = 100.0
"""An audience counts as at least so large: a title that few lists could hold is not popular by a single viewer."""


def fit(matrix: sp.csr_array, audience: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log popularity of each item, as if every list could hold it. (users, items), (items,) → (items,)

    ``audience`` are the users whose list could hold each item.
    """
    total = np.asarray(matrix.sum(axis=0), np.float32)
    largest = audience.max(initial=FEWEST)
    return np.asarray(np.log1p(total * (largest / np.maximum(audience, FEWEST))), np.float32)
