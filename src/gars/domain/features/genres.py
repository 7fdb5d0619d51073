"""Genres: what the user watches more than others do, and what they like more than they usually like things."""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query
from gars.domain.features.taste import Prior
from gars.domain.item_table import ItemTable
from gars.loops.marks import over_marks

NAMES = ("genre_share", "genre_lift", "genre_like_gap", "genre_like_worst", "genre_count")
ITEM_NAMES = ("count",)


def of_items(items: ItemTable, _prior: Prior) -> tuple[Floats, ...]:
    """How many genres it has."""
    return (items.genres.sum(axis=1),)


def write(query: Query, here: Floats, out: Floats) -> None:
    """Means over the candidate's genres, and the worst of them. ``out`` (5, m)"""
    taste, count = query.taste, here[0]
    values = np.stack([taste.genre_share, taste.genre_share - query.items.genre_shares, taste.genre_like_gap])
    out[:3] = 0
    over_marks(query.genre_marks, query.candidates, values, out[:3], out[3])
    out[:3] /= np.maximum(1, count)
    out[4] = count
