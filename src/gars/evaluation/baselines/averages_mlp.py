"""A small network over averages: of the user's ratings, of their likes by genre, of the title's ratings.

The design of many public notebooks for this task. There its averages are taken over all rows, the held-out ones too,
which is where their 80 % comes from; here a training row's averages leave that row out, and a held-out row is in none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain.features.taste import PRIOR_RATINGS, prior_of
from gars.domain.history import LIKED_ABOVE, History
from gars.domain.item_table import ItemTable
from gars.evaluation.baselines.model import ByRule, Floats, LikeModel, Training
from gars.ranking.mlp import import_keras

HIDDEN, EPOCHS, BATCH, LEARNING_RATE = (64, 32), 4, 1024, 1e-3
ITEM_PRIOR = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over ratings: of users (r rows, one for each pair) and of items, the pair itself left out of both."""

    user_count: Floats
    user_likes: Floats
    user_rating: Floats
    genre_count: Floats
    """(r, g) the user's ratings of each genre."""
    genre_likes: Floats
    item_count: Floats
    item_likes: Floats
    item_rating: Floats


def fit(training: Training) -> LikeModel:
    """Train on every training rating.

    Raises:
        MissingExtraError: Keras is not installed.
    """
    keras = import_keras()
    items, prior = training.items, prior_of(training.items)
    user, item, rating = training.rated()
    liked = (rating > LIKED_ABOVE).astype(np.float32)
    x = _features(items, item, _without_the_row(training, user, item, rating, liked), prior.like_rate, prior.rating)
    centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-3)
    keras.utils.set_random_seed(training.seed % 2**32)
    model = keras.Sequential(
        [keras.Input((x.shape[1],)), *(keras.layers.Dense(width, "relu") for width in HIDDEN), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(LEARNING_RATE), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit((x - centre) / scale, liked[:, None], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    weights = [np.asarray(one, np.float32) for one in model.get_weights()]

    def rule(history: History, rows: NDArray[np.int64]) -> Floats:
        sums = _of_history(items, history, rows)
        hidden = (_features(items, rows, sums, prior.like_rate, prior.rating) - centre) / scale
        for layer in range(0, len(weights) - 2, 2):
            hidden = np.maximum(hidden @ weights[layer] + weights[layer + 1], 0)
        logit = (hidden @ weights[-2] + weights[-1])[:, 0]
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), np.float32)

    return ByRule("MLP on averages", rule)


def _features(items: ItemTable, rows: NDArray[np.int64], sums: _Sums, like_rate: float, mean: float) -> Floats:
    """Return averages shrunk to the mean of all users, and the title's attributes. (r,) → (r, f)"""
    own_rate = (sums.user_likes + PRIOR_RATINGS * like_rate) / (sums.user_count + PRIOR_RATINGS)
    genre_rate = (sums.genre_likes + PRIOR_RATINGS * own_rate[:, None]) / (sums.genre_count + PRIOR_RATINGS)
    genres = items.genres[rows]
    columns: list[Any] = [
        own_rate,
        (sums.user_rating + PRIOR_RATINGS * mean) / (sums.user_count + PRIOR_RATINGS),
        np.log1p(sums.user_count),
        (sums.item_likes + ITEM_PRIOR * like_rate) / (sums.item_count + ITEM_PRIOR),
        (sums.item_rating + ITEM_PRIOR * mean) / (sums.item_count + ITEM_PRIOR),
        np.log1p(sums.item_count),
        (genres * genre_rate).sum(axis=1) / np.maximum(genres.sum(axis=1), 1),
    ]
    kinds = (items.types[rows][:, None] == np.arange(len(items.type_names))).astype(np.float32)
    return np.concatenate([np.stack(columns, axis=1), genre_rate, genres, kinds], axis=1).astype(np.float32)


def _without_the_row(
    training: Training, user: NDArray[np.int64], item: NDArray[np.int64], rating: Floats, liked: Floats
) -> _Sums:
    items, n_users = training.items, training.matrix.n_users
    shape = (n_users, len(items))

    def by_user(values: Floats) -> Floats:
        return (np.bincount(user, values, n_users)[user] - values).astype(np.float32)

    def by_genre(values: Floats) -> Floats:
        per_user = np.asarray(sp.csr_array((values, (user, item)), shape=shape) @ items.genres, np.float32)
        return per_user[user] - values[:, None] * items.genres[item]

    one = np.ones_like(rating)
    return _Sums(
        user_count=by_user(one),
        user_likes=by_user(liked),
        user_rating=by_user(rating),
        genre_count=by_genre(one),
        genre_likes=by_genre(liked),
        item_count=items.rated_counts[item] - one,
        item_likes=items.liked_counts[item] - liked,
        item_rating=items.rating_sums[item] - rating,
    )


def _of_history(items: ItemTable, history: History, rows: NDArray[np.int64]) -> _Sums:
    own = items.rows(history.anime_ids)
    known = (own >= 0) & ~np.isnan(history.ratings)
    own, rating = own[known], history.ratings[known]
    liked = (rating > LIKED_ABOVE).astype(np.float32)
    m = len(rows)
    return _Sums(
        user_count=np.full(m, len(own), np.float32),
        user_likes=np.full(m, liked.sum(), np.float32),
        user_rating=np.full(m, rating.sum(), np.float32),
        genre_count=np.tile(items.genres[own].sum(axis=0), (m, 1)),
        genre_likes=np.tile(liked @ items.genres[own], (m, 1)),
        item_count=items.rated_counts[rows],
        item_likes=items.liked_counts[rows],
        item_rating=items.rating_sums[rows],
    )
