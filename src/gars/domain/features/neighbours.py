"""How the user liked the titles that are watched together with the candidate: their own ratings, similarity weighted.

Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query, column

NAMES = ("neighbour_weight", "neighbour_liking", "neighbour_rating", "neighbour_nearest")

PRIOR_WEIGHT = 0.1
"""Weight of "as usual" in the similarity-weighted means."""


def values(query: Query) -> NDArray[np.float32]:
    """Similarity-weighted means of liking and rating above the user's usual. → (m, 4)"""
    weight, liking, rating, nearest = query.evidence.T
    return column(np.log1p(weight), liking / (weight + PRIOR_WEIGHT), rating / (weight + PRIOR_WEIGHT), nearest)
