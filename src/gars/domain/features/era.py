"""When a title came out, and how that compares with when the user's titles did."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, known_or
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable
from gars.kernels.item_features import BASE_YEAR

NAMES = ("year", "year_known", "year_gap", "year_distance", "latest_gap", "year_share")
ITEM_NAMES = ("decades", "known")

LATEST = 0.9
"""Quantile of the years of a history that counts as its latest: a single new title makes no recent viewer."""


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Decades since 2010, 0 where not known; whether it is known."""
    decades = np.asarray((items.years - BASE_YEAR) / 10, np.float32)
    return known_or(decades, 0), (~np.isnan(decades)).astype(np.float32)
