"""What kind of thing it is (series, film, short) and how much of the user's list, and liking, is of that kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import PRIOR_RATINGS, Query, column, known_or

NAMES = ("type_share", "type_like_gap", "episodes")


def values(query: Query) -> NDArray[np.float32]:
    """Share of the history of the candidate's type, like rate of that type above the user's own. → (m, 3)"""
    items, taste = query.items, query.taste
    n_types = len(items.type_names) + 1  # the last place is for what is not known (-1)
    share = np.bincount(items.types[taste.rows] % n_types, minlength=n_types) / max(1, len(taste.rows))
    of_rated = items.types[taste.rated_rows] % n_types
    surplus = np.bincount(of_rated, taste.liked - taste.like_rate, n_types)
    gap = surplus / (np.bincount(of_rated, minlength=n_types) + PRIOR_RATINGS)
    here = items.types[query.candidates] % n_types
    episodes = np.log1p(known_or(items.episodes[query.candidates], 0.0))
    return column(share[here].astype(np.float32), gap[here].astype(np.float32), episodes)
