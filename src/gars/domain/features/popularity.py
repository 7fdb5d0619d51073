"""Popularity of a title, and its distance from the popularity of the user's titles."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query, known_or
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


def write(query: Query, here: Floats, out: Floats) -> None:
    """The gap is to the mean of the user's history. ``out`` (5, m)"""
    viewers = np.log1p(query.items.counts[query.taste.rows] if len(query.taste.rows) else query.items.counts)
    usual = float(viewers.mean()) if len(viewers) else 0.0
    out[:3] = here
    np.subtract(here[0], np.float32(usual), out=out[3])
    np.abs(out[3], out=out[4])
