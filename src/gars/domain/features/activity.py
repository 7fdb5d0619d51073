"""How much is known of the user: the ranker trusts taste features more when there is more behind them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query

NAMES = ("user_titles", "user_rated", "user_like_rate", "user_rating_mean", "user_rating_spread")


def values(query: Query) -> NDArray[np.float32]:
    """The same row for every candidate. → (m, 5)"""
    taste = query.taste
    spread = float(taste.ratings.std()) if len(taste.ratings) > 1 else 0.0
    row = np.array(
        [np.log1p(len(taste.rows)), np.log1p(len(taste.ratings)), taste.like_rate, taste.rating_mean, spread],
        np.float32,
    )
    return np.broadcast_to(row, (len(query.candidates), len(NAMES)))
