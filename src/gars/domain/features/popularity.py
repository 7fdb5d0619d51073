"""How widely watched a title is, and whether that is how widely this user's titles are watched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query, column, known_or

NAMES = ("item_viewers", "item_members", "popularity_gap", "popularity_distance")


def values(query: Query) -> NDArray[np.float32]:
    """Logarithms of counts; the gap is to the mean of the user's history. → (m, 4)"""
    counts = query.items.counts
    of_whom = query.taste.rows if len(query.taste.rows) else np.arange(len(counts))
    usual = float(np.log1p(counts[of_whom]).mean()) if len(of_whom) else 0.0
    here = np.asarray(np.log1p(counts[query.candidates]), np.float32)
    members = np.log1p(known_or(query.items.members[query.candidates], 0.0))
    gap = np.asarray(here - usual, np.float32)
    return column(here, members, gap, np.abs(gap))
