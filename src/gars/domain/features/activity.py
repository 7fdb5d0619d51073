"""Size of the user's history: the ranker trusts taste features more when they come from more ratings."""

from __future__ import annotations

from math import log1p

import numpy as np

from gars.domain.features.query import Floats, Query

NAMES = ("user_titles", "user_rated", "user_like_rate", "user_rating_mean", "user_rating_spread")


def write(query: Query, out: Floats) -> None:
    """Write the same values for every candidate. ``out`` (5, m)"""
    taste = query.taste
    known = log1p(len(taste.rows)), log1p(len(taste.ratings)), taste.like_rate, taste.rating_mean, taste.rating_spread
    out[:] = np.array(known, np.float32)[:, None]
