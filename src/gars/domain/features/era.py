"""When a title came out, and how that compares with when the user's titles did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query, column, known_or

NAMES = ("year", "year_known", "year_gap", "year_distance")


def values(query: Query) -> NDArray[np.float32]:
    """Decades since 2010; the gap is to the mean year of the history, 0 where a year is not known. → (m, 4)"""
    years = query.items.years
    own = _decades(years[query.taste.rows])
    own = own[~np.isnan(own)]
    usual = float(own.mean()) if len(own) else 0.0
    here = _decades(years[query.candidates])
    gap = known_or(np.asarray(here - usual, np.float32), 0.0)
    return column(known_or(here, 0.0), (~np.isnan(here)).astype(np.float32), gap, np.abs(gap))


def _decades(years: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((years - 2010) / 10, np.float32)
