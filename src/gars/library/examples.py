"""A training list of the ranker: candidates of part of a user's list, labelled by the hidden part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain import features
from gars.domain.history import LIKED_ABOVE, History
from gars.library.query import Models, taste_profile
from gars.ranking.examples import NOT_ASKED, RankingList

COLD_SHARE = 4
"""At most one place in so many of a training list is a candidate without viewers."""


def ranking_list(
    models: Models,
    history: History,
    hidden_rows: NDArray[np.int64],
    hidden_ratings: NDArray[np.float32],
    *,
    withheld_rows: NDArray[np.int64],
    length: int,
    per_channel: int,
    implicit: bool,
) -> RankingList | None:
    """Build the training list of a history: candidates labelled by the hidden titles, then missed rated ones.

    Titles ``withheld`` are on the user's list too, but neither in the history nor candidates.
    """
    fold = models.retriever
    allowed = np.ones(len(fold.items), np.bool_)
    own = fold.items.rows(history.anime_ids)
    allowed[own] = allowed[withheld_rows] = False
    is_used = history.weights > 0
    rating_of = np.full(len(fold.items), np.nan, np.float32)
    rating_of[hidden_rows] = hidden_ratings
    is_hidden = np.zeros(len(fold.items), np.bool_)
    is_hidden[hidden_rows] = True
    liked = is_hidden if implicit else rating_of > LIKED_ABOVE
    rated = hidden_rows if implicit else hidden_rows[~np.isnan(hidden_ratings)]
    found = fold.candidates(own[is_used], history.weights[is_used], allowed, per_channel=per_channel, extra=rated)
    n_proposed = int(found.proposed.any(axis=1).sum())
    proposed = np.arange(len(found.rows)) < n_proposed
    # titles without viewers come last in the fused order, so they have places of their own
    cold = np.flatnonzero(proposed & (fold.items.counts[found.rows] == 0))[: length // COLD_SHARE]
    warm = np.flatnonzero(proposed & (fold.items.counts[found.rows] > 0))
    first = np.concatenate([warm[: max(0, length - len(rated) - len(cold))], cold])
    cut = len(first)
    # every hidden rating is in the list, found or not: the like head must not see only what retrieval is good at
    rest = np.setdiff1d(np.arange(len(found.rows)), first)
    missed = rest[np.isin(found.rows[rest], rated)]
    kept = np.concatenate([first, missed])
    if not len(kept):
        return None
    found = found.take(kept)
    rows = found.rows
    query = models.query(history, found)
    order = np.where(liked[rows], 1.0, 0.0).astype(np.float32)
    order[cut:] = NOT_ASKED
    like = order.copy() if implicit else np.where(np.isnan(rating_of[rows]), NOT_ASKED, liked[rows]).astype(np.float32)
    matrix = np.ascontiguousarray(features.matrix(query))
    return RankingList(matrix, rows, taste_profile(query), order, like)
