"""When a title came out, and how that compares with when the user's titles did."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query, known_or
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable

NAMES = ("year", "year_known", "year_gap", "year_distance", "latest_gap", "year_share")
ITEM_NAMES = ("decades", "known")


LATEST = 0.9
"""Quantile of the years of a history that counts as its latest: a single new title makes no recent viewer."""
NEAR = 2
"""Titles that began at most so many years apart are of the same time."""


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Decades since 2010, 0 where not known; whether it is known."""
    decades = np.asarray((items.years - 2010) / 10, np.float32)
    return known_or(decades, 0), (~np.isnan(decades)).astype(np.float32)


def write(query: Query, here: Floats, out: Floats) -> None:
    """Gaps are to the mean and the latest year of the history, 0 where the candidate's is not known. ``out`` (6, m)

    The share is that of the history's titles which began at most ``NEAR`` years from the candidate.
    """
    years = query.items.years[query.taste.rows]
    years = years[~np.isnan(years)]
    usual = float(years.mean() - 2010) / 10 if len(years) else 0.0
    out[:2] = here
    decades, known = here
    np.subtract(decades, np.float32(usual), out=out[2])
    out[2] *= known
    np.abs(out[2], out=out[3])
    out[4:] = 0
    if not len(years):
        return
    years.sort()
    latest = float(years[int(LATEST * (len(years) - 1))] - 2010) / 10
    np.subtract(decades, np.float32(latest), out=out[4])
    candidate = query.items.years[query.candidates]
    until, before = np.searchsorted(years, candidate + NEAR, side="right"), np.searchsorted(years, candidate - NEAR)
    np.subtract(until, before, out=out[5], casting="unsafe")
    out[5] /= len(years)
    out[4:] *= known
