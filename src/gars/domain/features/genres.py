"""Genres: what the user watches more than others do, and what they like more than they usually like things."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats
from gars.domain.features.taste import Prior, Taste
from gars.domain.item_table import ItemTable

NAMES = ("genre_share", "genre_lift", "genre_like_gap", "genre_like_worst", "genre_count")
ITEM_NAMES = ("count",)


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """Return the number of genres of each item."""
    return (items.genres.sum(axis=1),)


def by_genre(taste: Taste, items: ItemTable) -> Floats:
    """Return the values to sum over genres: share of the list, lift over all users, like rate gap. → (3, g)"""
    values = np.empty((3, len(taste.genre_share)), np.float32)
    values[0], values[2] = taste.genre_share, taste.genre_like_gap
    np.subtract(taste.genre_share, items.genre_shares, out=values[1])
    return values
