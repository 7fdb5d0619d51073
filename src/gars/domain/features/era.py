"""When a title came out, and how that compares with when the user's titles did."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query, known_or
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable

NAMES = ("year", "year_known", "year_gap", "year_distance")
ITEM_NAMES = ("decades", "known")


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Decades since 2010, 0 where not known; whether it is known."""
    decades = np.asarray((items.years - 2010) / 10, np.float32)
    return known_or(decades, 0), (~np.isnan(decades)).astype(np.float32)


def write(query: Query, here: Floats, out: Floats) -> None:
    """The gap is to the mean year of the history, 0 where the candidate's is not known. ``out`` (4, m)"""
    years = query.items.years[query.taste.rows]
    years = years[~np.isnan(years)]
    usual = float(years.mean() - 2010) / 10 if len(years) else 0.0
    out[:2] = here
    decades, known = here
    np.subtract(decades, np.float32(usual), out=out[2])
    out[2] *= known
    np.abs(out[2], out=out[3])
