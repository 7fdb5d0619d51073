"""What every feature reads: one user, their taste in summary, and the candidates to be ranked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.domain.history import LIKED_ABOVE, History
from gars.domain.item_table import ItemTable

PRIOR_RATINGS = 4.0
"""How many ratings the average user's opinion counts for when a user's own rates are estimated."""


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What is true of everybody: the value a rate shrinks to when there is little evidence."""

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
    strengths: NDArray[np.float32]
    """(h,) how much each speaks for titles like it."""
    rated_rows: NDArray[np.int64]
    """(r,)"""
    liked: NDArray[np.float32]
    """(r,) 1 where rated above the threshold."""
    ratings: NDArray[np.float32]
    """(r,)"""
    like_rate: float
    """The user's own share of liked ratings, shrunk to everybody's."""
    rating_mean: float
    """The user's own mean rating, shrunk to everybody's."""


def taste_of(history: History, items: ItemTable, prior: Prior) -> Taste:
    """Summarise a history; titles the catalogue does not have are left out."""
    rows = items.rows(history.anime_ids)
    known = rows >= 0
    rows, ratings, strengths = rows[known], history.ratings[known], history.strengths[known]
    rated = ~np.isnan(ratings)
    liked = (ratings[rated] > LIKED_ABOVE).astype(np.float32)
    n = len(liked)
    return Taste(
        rows=rows,
        strengths=strengths,
        rated_rows=rows[rated],
        liked=liked,
        ratings=ratings[rated],
        like_rate=(float(liked.sum()) + PRIOR_RATINGS * prior.like_rate) / (n + PRIOR_RATINGS),
        rating_mean=(float(ratings[rated].sum()) + PRIOR_RATINGS * prior.rating) / (n + PRIOR_RATINGS),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A user and m candidates."""

    items: ItemTable
    prior: Prior
    taste: Taste
    candidates: NDArray[np.int64]
    """(m,) rows of the item table."""
    channel_scores: NDArray[np.float32]
    """(m, c) standardised score of each retrieval channel."""
    strongest: NDArray[np.float32]
    """(m, e) largest term of each neighbourhood channel's sum."""
    supporters: NDArray[np.float32]
    """(m, e) terms of each neighbourhood channel's sum."""
    evidence: NDArray[np.float32]
    """(m, 4) what the user's rated titles say of each candidate: sum of co-watch weights, the same weighted by how
    much more than usual the user liked each title, and by rating above their mean; largest single weight."""
    kriging: NDArray[np.float32]
    """(m, 11) the columns of ``features.kriging``; zeros where the data have no ratings (``ranking.kriging``)."""


def column(*columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stack feature columns (m,) side by side as (m, f) float32."""
    return np.stack(columns, axis=1).astype(np.float32, copy=False)


def known_or(values: NDArray[np.float32], default: float) -> NDArray[np.float32]:
    """Replace what is not known (NaN)."""
    return np.where(np.isnan(values), np.float32(default), values)
