"""What the Gaussian process over the user's own ratings expects (``ranking.kriging``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query

NAMES = ("like_baseline", "rating_baseline", "like_kriged", "rating_kriged", "kriging_open")


def values(query: Query) -> NDArray[np.float32]:
    """Passed through. → (m, 5)"""
    return query.kriging
