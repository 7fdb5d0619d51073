"""How widely watched a title is, and whether that is how widely this user's titles are watched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query, column, known_or

NAMES = ("item_viewers", "item_members", "popularity_gap", "popularity_distance")


def values(query: Query) -> NDArray[np.float32]:
    """Logarithms of counts; the gap is to the mean of the user's history. → (m, 4)"""
    viewers = np.log1p(query.items.counts)
    own = viewers[query.taste.rows]
    usual = float(own.mean()) if len(own) else float(viewers.mean()) if len(viewers) else 0.0
    here = np.asarray(viewers[query.candidates], np.float32)
    members = np.log1p(known_or(query.items.members[query.candidates], 0.0))
    gap = np.asarray(here - usual, np.float32)
    return column(here, members, gap, np.abs(gap))
