"""Type (series, film, short) and length, and the share and like rate of that type on the user's list."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, known_or
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable

NAMES = ("type_share", "type_like_gap", "episodes")
ITEM_NAMES = ("log_episodes",)


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Return the log of each item's episodes."""
    return (np.log1p(known_or(items.episodes, 0)),)
