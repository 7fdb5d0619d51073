"""Measure the differences between a data set and the previously accepted one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl

from gars.datasets.validate import Report

_SHOWN = 10


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Differences from an earlier data set. ``before`` is its content hash."""

    before: str
    rating_shift: float
    """Total variation distance of the two histograms of ratings, 0 to 1."""
    mean_rating: tuple[float | None, float | None]
    """Before, now."""
    unrated_share: tuple[float, float]
    unknown_rise: dict[str, float]
    """Catalogue column → increase of its share of missing values; only columns that increased."""
    rows: tuple[int, int]
    users: tuple[int, int]
    catalogue: tuple[int, int]
    anime_new: int
    anime_vanished: int
    new_examples: list[str]
    vanished_examples: list[str]
    ratings_before: dict[int, int]


def compare(before: Report, now: Report, *, before_hash: str, were: pl.DataFrame, are: pl.DataFrame) -> Drift:
    """Compare two reports and their catalogues (columns ``anime_id, title, members`` at least)."""
    new = are.join(were, on="anime_id", how="anti")
    vanished = were.join(are, on="anime_id", how="anti")
    rises = {name: now.null_share[name] - share for name, share in before.null_share.items() if name in now.null_share}
    return Drift(
        before=before_hash,
        rating_shift=total_variation(before.ratings, now.ratings),
        mean_rating=(mean_rating(before.ratings), mean_rating(now.ratings)),
        unrated_share=(before.unrated_share, now.unrated_share),
        unknown_rise={name: rise for name, rise in rises.items() if rise > 0},
        rows=(before.rows, now.rows),
        users=(before.users, now.users),
        catalogue=(before.catalogue, now.catalogue),
        anime_new=new.height,
        anime_vanished=vanished.height,
        new_examples=_best_known(new),
        vanished_examples=_best_known(vanished),
        ratings_before=before.ratings,
    )


def total_variation(before: Mapping[int, int], now: Mapping[int, int]) -> float:
    """Return the total variation distance of two histograms, 0 (equal) to 1 (disjoint); 0 if one is empty."""
    totals = sum(before.values()), sum(now.values())
    if not all(totals):
        return 0.0
    keys = before.keys() | now.keys()
    return sum(abs(before.get(key, 0) / totals[0] - now.get(key, 0) / totals[1]) for key in keys) / 2


def mean_rating(ratings: Mapping[int, int]) -> float | None:
    """Return the mean of a histogram, ``None`` for an empty one."""
    count = sum(ratings.values())
    return sum(rating * times for rating, times in ratings.items()) / count if count else None


def _best_known(catalogue: pl.DataFrame) -> list[str]:
    known = catalogue.sort(["members", "anime_id"], descending=[True, False], nulls_last=True)
    return known["title"].head(_SHOWN).to_list()
