"""Features from the record of a candidate and from its relation to the user's history: one kernel writes both."""

from __future__ import annotations

from math import log, log1p

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Floats, Query, known_or
from gars.domain.features.taste import PRIOR_RATINGS, Prior
from gars.domain.item_table import ItemTable
from gars.kernels.item_features import BASE_YEAR, Records, Taste, write_item_features

NAMES = (
    # popularity of the title, and its distance from the popularity of the user's titles
    "item_viewers", "item_members", "item_viewer_share", "popularity_gap", "popularity_distance",
    # rating by the training users, and by the catalogue's own score
    "item_like_rate", "item_rating_mean", "item_rated", "catalogue_score", "score_known", "like_log_odds",
    # year of release, and how it compares with the years of the user's titles
    "year", "year_known", "year_gap", "year_distance", "latest_gap", "year_share",
    # type (series, film, short) and length, and the share and like rate of that type on the user's list
    "type_share", "type_like_gap", "episodes",
    # genres that the user watches more than others do, and likes more than their other titles
    "genre_share", "genre_lift", "genre_like_gap", "genre_like_worst", "genre_count",
    # ties to the user's titles of the same story: the next season of a liked series is the safest guess there is
    "franchise_seen", "franchise_liking", "prequel_seen", "prequel_liking", "prequel_missing", "franchise_size",
)  # fmt: skip

_FEWEST = 20.0
"""Users that the share of viewers starts from: a title that few lists could hold has no certain share."""
_PRIOR_VIEWERS = 5.0
_LEAST = 0.01
"""Shares nearer to 0 or 1 than this count as this near."""
_LATEST = 0.9
"""Quantile of the years of a history that counts as its latest: a single new title makes no recent viewer."""
_SHRINK = PRIOR_RATINGS / 4
"""Pseudo-ratings of liking 0 that the liking of a franchise is shrunk by."""
_YEARS = (-(2**15), 2**15 - 1)


def records_of(items: ItemTable, prior: Prior) -> Records:
    """Return the features of each item that do not depend on the user, with the codes that others are found by."""
    unknown_type = len(items.type_names)
    codes = np.empty((len(items), 4), np.int32)
    codes[:, 0] = np.where(items.types < 0, unknown_type, items.types)
    codes[:, 1], codes[:, 2] = items.franchises, items.prequel_rows
    codes[:, 3] = np.clip(np.nan_to_num(items.years), *_YEARS)
    largest = int(items.franchise_sizes.max(initial=0))
    decades = np.asarray((items.years - BASE_YEAR) / 10, np.float32)
    columns = (
        *_popularity(items),
        *_quality(items, prior),
        known_or(decades, 0),
        (~np.isnan(decades)).astype(np.float32),
        np.log1p(known_or(items.episodes, 0)),
        items.genres.sum(axis=1),
        np.log1p(items.franchise_sizes[items.franchises], dtype=np.float32),
    )
    return Records(
        np.stack(columns, axis=1), codes, items.genre_codes, np.log1p(np.arange(largest + 1), dtype=np.float32)
    )


def write(query: Query, out: Floats) -> None:
    """Write the features of each candidate. ``out`` (31, m)"""
    items, taste, numbers = query.items, query.taste, query.records.numbers
    by_genre = np.empty((3, len(taste.genre_share)), np.float32)  # summed over the genres of a title
    by_genre[0], by_genre[2] = taste.genre_share, taste.genre_like_gap
    np.subtract(taste.genre_share, items.genre_shares, out=by_genre[1])
    known = Taste(
        rows=taste.rows,
        rated=taste.rated_rows,
        liking=taste.liking,
        by_category=by_genre,
        usual_viewers=np.float32(0 if len(taste.rows) or not len(items) else numbers[:, 0].mean()),
        # an additive model: what the user's like rate adds to the log-odds of a like by the average user
        odds_shift=np.float32(_logit_of(taste.like_rate) - _logit_of(query.prior.like_rate)),
        latest=_LATEST,
        type_weight=PRIOR_RATINGS,
        group_weight=_SHRINK,
    )
    write_item_features(query.records, len(items.type_names) + 1, items.n_franchises, known, query.candidates, out)


def _popularity(items: ItemTable) -> tuple[Floats, ...]:
    """Return logarithms of counts, and of the share of viewers among the users whose list could hold the title."""
    share = (items.counts + np.float32(0.01 * _FEWEST)) / (items.audience + np.float32(_FEWEST))
    return np.log1p(items.counts), np.log1p(known_or(items.members, 0)), np.log(share)


def _quality(items: ItemTable, prior: Prior) -> tuple[Floats, ...]:
    """Return shrunk rates, the number of ratings, the catalogue's score, and the log-odds of a like on average."""
    rated = items.rated_counts
    like_rate = (items.liked_counts + _PRIOR_VIEWERS * prior.like_rate) / (rated + _PRIOR_VIEWERS)
    mean = (items.rating_sums + _PRIOR_VIEWERS * prior.rating) / (rated + _PRIOR_VIEWERS)
    known = (~np.isnan(items.scores)).astype(np.float32)
    return like_rate, mean, np.log1p(rated), known_or(items.scores, prior.rating), known, _logit(like_rate)


def _logit(p: NDArray[np.float32]) -> Floats:
    q = np.clip(p, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(q) - np.log1p(-q), np.float32)


def _logit_of(p: float) -> float:
    q = min(max(p, _LEAST), 1 - _LEAST)
    return log(q) - log1p(-q)
