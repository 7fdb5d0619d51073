"""Like predictions without a model of taste: rates and additive biases.

The additive model is Koren, "Factorization meets the neighborhood", KDD 2008, section 2.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.taste import PRIOR_RATINGS, Prior, prior_of
from gars.domain.history import LIKED_ABOVE, History
from gars.domain.item_table import ItemTable
from gars.evaluation.baselines.model import ByRule, Floats, LikeModel, Training

ITEM_PRIOR, USER_PRIOR, ROUNDS = 5.0, 4.0, 10


def item_rate(items: ItemTable) -> LikeModel:
    """Share of an item's ratings that are likes, shrunk to the mean of all users."""
    rate = _item_rates(items, prior_of(items))
    return ByRule("item rate", lambda _history, rows: rate(rows))


def user_and_item_rate(items: ItemTable) -> LikeModel:
    """Odds of the item's like rate times odds of the user's, over the mean odds."""
    prior = prior_of(items)
    rate = _item_rates(items, prior)

    def rule(history: History, rows: NDArray[np.int64]) -> Floats:
        rated = history.ratings[~np.isnan(history.ratings)]
        liked = int((rated > LIKED_ABOVE).sum())
        own = (liked + PRIOR_RATINGS * prior.like_rate) / (len(rated) + PRIOR_RATINGS)
        odds = _logit(rate(rows)) + _logit(np.float32(own)) - _logit(np.float32(prior.like_rate))
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    return ByRule("user and item rate", rule)


def bias(training: Training) -> LikeModel:
    """``mean + user + item`` by alternating ridge means over all training ratings; the user's part is folded in."""
    user, item, rating = training.rated()
    value = (rating > LIKED_ABOVE).astype(np.float64)
    mean = float(value.mean()) if len(value) else 0.5
    n_users, n_items = training.matrix.n_users, training.matrix.n_items
    users, items = np.zeros(n_users), np.zeros(n_items)
    for _ in range(ROUNDS):
        items = np.bincount(item, value - mean - users[user], n_items) / (
            np.bincount(item, minlength=n_items) + ITEM_PRIOR
        )
        users = np.bincount(user, value - mean - items[item], n_users) / (
            np.bincount(user, minlength=n_users) + USER_PRIOR
        )

    def rule(history: History, rows: NDArray[np.int64]) -> Floats:
        own = training.items.rows(history.anime_ids)
        known = (own >= 0) & ~np.isnan(history.ratings)
        liked = history.ratings[known] > LIKED_ABOVE
        deviation = float((liked - mean - items[own[known]]).sum() / (int(known.sum()) + USER_PRIOR))
        return np.clip(mean + deviation + items[rows], 0, 1).astype(np.float32)

    return ByRule("user and item bias", rule)


class _Rates:
    def __init__(self, items: ItemTable, prior: Prior) -> None:
        self.rates = (items.liked_counts + 5 * prior.like_rate) / (items.rated_counts + 5)

    def __call__(self, rows: NDArray[np.int64]) -> Floats:
        return self.rates[rows].astype(np.float32)


def _item_rates(items: ItemTable, prior: Prior) -> _Rates:
    return _Rates(items, prior)


def _logit(p: Floats | np.float32) -> Floats:
    q = np.clip(p, 0.01, 0.99)
    return np.asarray(np.log(q) - np.log1p(-q), np.float32)
