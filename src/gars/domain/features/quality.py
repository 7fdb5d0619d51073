"""How well a title is liked: by the training users who rated it, and by the catalogue's own score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query, column, known_or

NAMES = ("item_like_rate", "item_rating_mean", "item_rated", "catalogue_score", "score_known", "like_log_odds")

PRIOR_VIEWERS = 5.0


def values(query: Query) -> NDArray[np.float32]:
    """Shrunk rates, and the log-odds of a like for an additive model of user and item. → (m, 6)"""
    items, rows, prior = query.items, query.candidates, query.prior
    rated = items.rated_counts[rows]
    like_rate = (items.liked_counts[rows] + PRIOR_VIEWERS * prior.like_rate) / (rated + PRIOR_VIEWERS)
    mean = (items.rating_sums[rows] + PRIOR_VIEWERS * prior.rating) / (rated + PRIOR_VIEWERS)
    score = items.scores[rows]
    log_odds = _logit(like_rate) + _logit(np.float32(query.taste.like_rate)) - _logit(np.float32(prior.like_rate))
    known = (~np.isnan(score)).astype(np.float32)
    return column(like_rate, mean, np.log1p(rated), known_or(score, prior.rating), known, log_odds)


def _logit(p: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    q = np.clip(p, 0.01, 0.99)
    return np.asarray(np.log(q) - np.log1p(-q), np.float32)
