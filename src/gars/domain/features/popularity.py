"""Popularity of a title, and its distance from the popularity of the user's titles."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, known_or
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable

NAMES = ("item_viewers", "item_members", "item_viewer_share", "popularity_gap", "popularity_distance")
ITEM_NAMES = ("log_viewers", "log_members", "log_viewer_share")
FEWEST = 20.0
"""Users that the share of viewers starts from: a title that few lists could hold has no certain share."""


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Logarithms of counts, and of the share of viewers among the users whose list could hold the title."""
    share = (items.counts + np.float32(0.01 * FEWEST)) / (items.audience + np.float32(FEWEST))
    return np.log1p(items.counts), np.log1p(known_or(items.members, 0)), np.log(share)
