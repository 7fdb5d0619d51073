"""Summary statistics of a user and priors over all users, which the features compare a candidate with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.domain.history import LIKED_ABOVE, History
from gars.domain.item_table import ItemTable
from gars.kernels.history_summary import summarise_history

PRIOR_RATINGS = 4.0
"""Pseudo-ratings of the average user that a user's own rates are shrunk by."""


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """Means over all users, which rates of little evidence shrink to."""

    like_rate: float
    rating: float


def prior_of(items: ItemTable) -> Prior:
    """Shares and means over all training ratings; 0.5 and 7 when there are none."""
    rated = float(items.rated_counts.sum())
    if not rated:
        return Prior(0.5, 7.0)
    return Prior(float(items.liked_counts.sum()) / rated, float(items.rating_sums.sum()) / rated)


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """A user in summary. All rows are of titles the catalogue has; h of them, r of those rated."""

    rows: NDArray[np.int64]
    """(h,) history rows of the item table."""
    rated_rows: NDArray[np.int64]
    """(r,)"""
    liked: NDArray[np.float32]
    """(r,) 1 where rated above the threshold."""
    ratings: NDArray[np.float32]
    """(r,)"""
    like_rate: float
    """The user's own share of liked ratings, shrunk to the prior."""
    rating_mean: float
    """The user's own mean rating, shrunk to the prior."""
    rating_spread: float
    """Standard deviation of the user's ratings."""
    genre_share: NDArray[np.float32]
    """(g,) share of the history that has each genre."""
    genre_like_gap: NDArray[np.float32]
    """(g,) like rate of each genre above the user's own, shrunk to 0."""

    @property
    def liking(self) -> NDArray[np.float32]:
        """Liked minus the user's like rate, of each rated title. (r,)"""
        return self.liked - np.float32(self.like_rate)


def taste_of(history: History, items: ItemTable, prior: Prior) -> Taste:
    """Summarise a history; titles the catalogue does not have are left out."""
    rows = items.rows(history.anime_ids)
    kept, rated = np.empty((2, len(rows)), np.int64)
    values, liked = np.empty((2, len(rows)), np.float32)
    by_genre = np.zeros((2, len(items.genre_names)), np.float32)
    h, r, like_rate, rating_mean, rating_spread = summarise_history(
        rows, history.ratings, LIKED_ABOVE, items.genre_codes, np.array([prior.like_rate, prior.rating]), PRIOR_RATINGS,
        kept, rated, values, liked, by_genre,
    )  # fmt: skip
    return Taste(
        rows=kept[:h],
        rated_rows=rated[:r],
        liked=liked[:r],
        ratings=values[:r],
        like_rate=like_rate,
        rating_mean=rating_mean,
        rating_spread=rating_spread,
        genre_share=by_genre[0],
        genre_like_gap=by_genre[1],
    )
