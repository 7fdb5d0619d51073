"""The user's own ratings of titles watched together with the candidate, weighted by similarity.

Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001.
"""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query

NAMES = ("neighbour_weight", "neighbour_liking", "neighbour_rating", "neighbour_nearest")

PRIOR_WEIGHT = 0.1
"""Weight of "as usual" in the similarity-weighted means."""


def write(query: Query, out: Floats) -> None:
    """Similarity-weighted means of liking and rating above the user's usual. ``out`` (4, m)"""
    out[:] = query.evidence
    out[1:3] /= out[0] + np.float32(PRIOR_WEIGHT)
    np.log1p(out[0], out=out[0])
