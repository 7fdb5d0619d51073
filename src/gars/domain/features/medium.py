"""Type (series, film, short) and length, and the share and like rate of that type on the user's list."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query, known_or
from gars.domain.features.taste import PRIOR_RATINGS, Prior
from gars.domain.item_table import ItemTable

NAMES = ("type_share", "type_like_gap", "episodes")
ITEM_NAMES = ("log_episodes",)


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Return the log of each item's episodes."""
    return (np.log1p(known_or(items.episodes, 0)),)


def write(query: Query, here: Floats, out: Floats) -> None:
    """Share of the history of the candidate's type, like rate of that type above the user's own. ``out`` (3, m)"""
    items, taste = query.items, query.taste
    n_types = len(items.type_names) + 1  # the last place is for what is not known (-1)
    share = np.bincount(items.types[taste.rows] % n_types, minlength=n_types) / max(1, len(taste.rows))
    of_rated = items.types[taste.rated_rows] % n_types
    gap = np.bincount(of_rated, taste.liking, n_types) / (np.bincount(of_rated, minlength=n_types) + PRIOR_RATINGS)
    types = items.types[query.candidates]
    out[0], out[1] = share[types], gap[types]
    out[2] = here[0]
