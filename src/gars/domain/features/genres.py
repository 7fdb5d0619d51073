"""Genres: what the user watches more than others do, and what they like more than they usually like things."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import PRIOR_RATINGS, Query, Taste, column

NAMES = ("genre_share", "genre_lift", "genre_like_gap", "genre_like_worst", "genre_count")


def like_gap(taste: Taste, genres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Like rate of each genre above the user's own, shrunk to 0. → (g,)"""
    of_rated = genres[taste.rated_rows]
    return np.asarray((taste.liked - taste.like_rate) @ of_rated / (of_rated.sum(axis=0) + PRIOR_RATINGS), np.float32)


def share(taste: Taste, genres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the history that has each genre. → (g,)"""
    return np.asarray(genres[taste.rows].sum(axis=0) / max(1, len(taste.rows)), np.float32)


def values(query: Query) -> NDArray[np.float32]:
    """Means over the candidate's genres, and the worst of them. → (m, 5)"""
    genres, taste = query.items.genres, query.taste
    here = genres[query.candidates]
    count = here.sum(axis=1)
    divisor = np.maximum(1, count)
    own_share, gap = share(taste, genres), like_gap(taste, genres)
    usual = query.items.genre_shares
    worst = np.where(here > 0, gap, np.float32(1)).min(axis=1, initial=1)
    return column(
        here @ own_share / divisor,
        here @ (own_share - usual) / divisor,
        here @ gap / divisor,
        np.where(count > 0, worst, 0).astype(np.float32),
        count,
    )
