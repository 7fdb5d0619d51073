"""Predictions of the Gaussian process over the user's own ratings (``ranking.gaussian_process``)."""

from __future__ import annotations

from gars.domain.features.query import Floats, Query

NAMES = (
    "like_baseline", "rating_baseline", "like_kriged", "rating_kriged", "kriging_open",
    "near_weight", "near_like_rate", "near_liking", "near_rating", "nearest_weight", "nearest_rating",
)  # fmt: skip
"""Predictions of the additive model and of the process, and posterior over prior variance; then, over the user's rated
titles weighted by squared covariance, weight, like rate, residuals of liking and rating; then the covariance and
residual of the nearest one."""


def write(query: Query, out: Floats) -> None:
    """Copy the predictions. ``out`` (11, m)"""
    out[:] = query.gaussian_process.T
