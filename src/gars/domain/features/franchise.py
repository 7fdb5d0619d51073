"""Ties to what the user has seen of the same story: the next season of a liked series is the safest guess there is."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats
from gars.domain.features.taste import PRIOR_RATINGS, Prior
from gars.domain.item_table import ItemTable

SHRINK = PRIOR_RATINGS / 4
"""Pseudo-ratings of liking 0 that the liking of a franchise is shrunk by."""
NAMES = ("franchise_seen", "franchise_liking", "prequel_seen", "prequel_liking", "prequel_missing", "franchise_size")
ITEM_NAMES = ("log_size",)


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Return the size of each item's franchise."""
    return (np.log1p(items.franchise_sizes[items.franchises], dtype=np.float32),)
