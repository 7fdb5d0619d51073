"""Size of the user's history: the ranker trusts taste features more when they come from more ratings."""

from __future__ import annotations

from math import log1p

import numpy as np

from gars.domain.features.query import Floats, Query
from gars.domain.normalise import standard_deviation

NAMES = ("user_titles", "user_rated", "user_like_rate", "user_rating_mean", "user_rating_spread")


def write(query: Query, out: Floats) -> None:
    """Write the same values for every candidate. ``out`` (5, m)"""
    taste = query.taste
    spread = standard_deviation(taste.ratings) if len(taste.ratings) > 1 else 0.0
    known = (log1p(len(taste.rows)), log1p(len(taste.ratings)), taste.like_rate, taste.rating_mean, spread)
    out[:] = np.array(known, np.float32)[:, None]
