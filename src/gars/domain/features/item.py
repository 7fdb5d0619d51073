"""Features from the record of a candidate and from its relation to the user's history: one kernel writes both.

Their names and ideas are in ``popularity``, ``quality``, ``era``, ``medium``, ``genres`` and ``franchise``, in the
order of ``FILES``.
"""

from __future__ import annotations

import numpy as np

from gars.domain.features import era, franchise, genres, medium, popularity, quality
from gars.domain.features.query import Floats, Query
from gars.domain.features.taste import PRIOR_RATINGS, Prior
from gars.domain.item_table import ItemTable
from gars.kernels.item_features import Records, Taste, write_item_features

FILES = popularity, quality, era, medium, genres, franchise
NAMES = tuple(name for file in FILES for name in file.NAMES)
_YEARS = (-(2**15), 2**15 - 1)


def records_of(items: ItemTable, prior: Prior) -> Records:
    """Return the features of each item that do not depend on the user, with the codes that others are found by."""
    unknown_type = len(items.type_names)
    codes = np.empty((len(items), 4), np.int32)
    codes[:, 0] = np.where(items.types < 0, unknown_type, items.types)
    codes[:, 1], codes[:, 2] = items.franchises, items.prequel_rows
    codes[:, 3] = np.clip(np.nan_to_num(items.years), *_YEARS)
    largest = int(items.franchise_sizes.max(initial=0))
    return Records(
        np.stack([column for file in FILES for column in file.of_items(items, prior)], axis=1),
        codes,
        items.genre_codes,
        np.log1p(np.arange(largest + 1), dtype=np.float32),
    )


def write(query: Query, out: Floats) -> None:
    """Write the features of each candidate. ``out`` (31, m)"""
    items, taste, numbers = query.items, query.taste, query.records.numbers
    known = Taste(
        rows=taste.rows,
        rated=taste.rated_rows,
        liking=taste.liking,
        by_category=genres.by_genre(taste, items),
        usual_viewers=np.float32(0 if len(taste.rows) or not len(items) else numbers[:, 0].mean()),
        odds_shift=np.float32(quality.log_odds_shift(taste.like_rate, query.prior)),
        latest=era.LATEST,
        type_weight=PRIOR_RATINGS,
        group_weight=franchise.SHRINK,
    )
    write_item_features(query.records, len(items.type_names) + 1, items.n_franchises, known, query.candidates, out)
