"""Ties to what the user has seen of the same story: the next season of a liked series is the safest guess there is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import PRIOR_RATINGS, Query, column

NAMES = ("franchise_seen", "franchise_liking", "prequel_seen", "prequel_liking", "prequel_missing", "franchise_size")


def values(query: Query) -> NDArray[np.float32]:
    """Counts of the user's titles of the same franchise and how much better than usual they liked them. → (m, 6)"""
    items, taste, rows = query.items, query.taste, query.candidates
    n = items.n_franchises
    seen = np.bincount(items.franchises[taste.rows], minlength=n)
    of_rated = items.franchises[taste.rated_rows]
    surplus = np.bincount(of_rated, taste.liked - taste.like_rate, n) / (
        np.bincount(of_rated, minlength=n) + PRIOR_RATINGS / 4
    )
    here = items.franchises[rows]
    prequel = items.prequel_rows[rows]
    state = _opinion_of_rows(query)
    has_prequel = prequel >= 0
    at = np.where(has_prequel, prequel, 0)
    prequel_seen = has_prequel & ~np.isnan(state[at])
    liking = np.where(prequel_seen, np.nan_to_num(state[at]), 0)
    return column(
        np.log1p(seen[here]).astype(np.float32),
        surplus[here].astype(np.float32),
        prequel_seen.astype(np.float32),
        liking.astype(np.float32),
        (has_prequel & ~prequel_seen).astype(np.float32),
        np.log1p(items.franchise_sizes[here]).astype(np.float32),
    )


def _opinion_of_rows(query: Query) -> NDArray[np.float32]:
    """How much better than usual each title was liked; 0 = seen without a rating, NaN = not in the history. (n,)"""
    state = np.full(len(query.items), np.nan, np.float32)
    state[query.taste.rows] = 0
    state[query.taste.rated_rows] = query.taste.liked - query.taste.like_rate
    return state
