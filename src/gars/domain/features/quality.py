"""Rating of a title by the training users, and by the catalogue's own score."""

from __future__ import annotations

from math import log, log1p

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Floats, known_or
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable

NAMES = ("item_like_rate", "item_rating_mean", "item_rated", "catalogue_score", "score_known", "like_log_odds")
ITEM_NAMES = ("like_rate", "rating_mean", "log_rated", "score", "score_known", "like_log_odds")

PRIOR_VIEWERS = 5.0
_LEAST = 0.01
"""Shares nearer to 0 or 1 than this count as this near."""


def of_items(items: ItemTable, prior: Prior) -> tuple[Floats, ...]:
    """Shrunk rates, how many rated it, the catalogue's score, and the log-odds of a like by the average user."""
    rated = items.rated_counts
    like_rate = (items.liked_counts + PRIOR_VIEWERS * prior.like_rate) / (rated + PRIOR_VIEWERS)
    mean = (items.rating_sums + PRIOR_VIEWERS * prior.rating) / (rated + PRIOR_VIEWERS)
    known = (~np.isnan(items.scores)).astype(np.float32)
    return like_rate, mean, np.log1p(rated), known_or(items.scores, prior.rating), known, _logit(like_rate)


def log_odds_shift(like_rate: float, prior: Prior) -> float:
    """Return what a user's like rate adds to the log-odds of a like by the average user: an additive model."""
    return _logit_of(like_rate) - _logit_of(prior.like_rate)


def _logit(p: NDArray[np.float32]) -> Floats:
    q = np.clip(p, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(q) - np.log1p(-q), np.float32)


def _logit_of(p: float) -> float:
    q = min(max(p, _LEAST), 1 - _LEAST)
    return log(q) - log1p(-q)
