"""What the Gaussian process over the user's own ratings expects (``ranking.kriging``)."""

from __future__ import annotations

from gars.domain.features.query import Floats, Query

NAMES = (
    "like_baseline", "rating_baseline", "like_kriged", "rating_kriged", "kriging_open",
    "near_weight", "near_like_rate", "near_liking", "near_rating", "nearest_weight", "nearest_rating",
)  # fmt: skip
"""Expected by the additive model, expected by the process, and the share of its variance that the user's ratings leave
open; then the user's rated titles weighted by squared nearness: weight, like rate, liking and rating above their usual;
and the nearest one alone."""


def write(query: Query, out: Floats) -> None:
    """Passed through. ``out`` (11, m)"""
    out[:] = query.kriging.T
