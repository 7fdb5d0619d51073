"""A catalogue of any make becomes ``Anime`` that can be stored and read again."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import polars as pl

from gars.domain.anime import Anime
from gars.library.catalogue_table import anime_of, read_catalogue_table


def test_columns_of_the_same_name_that_mean_something_else_are_left_out() -> None:
    foreign = pl.DataFrame(
        {
            "item_id": [1, 2],
            "season": [1, 2],
            "airing": [False, True],
            "trailer": [0, 1],
            "members_at": ["today", None],
            "cover_colour": ["red", "#12345"],
        }
    )
    kept = anime_of(read_catalogue_table(foreign), np.array([1, 2]))
    assert kept == msgspec.json.decode(msgspec.json.encode(kept), type=list[Anime])
    assert {(one.season, one.airing, one.trailer, one.members_at, one.cover_colour) for one in kept} == {(None,) * 5}


def test_season_and_airing_are_taken_where_they_are_such() -> None:
    frame = pl.DataFrame(
        {
            "item_id": [1, 2],
            "season": ["2026-fall", "spring"],
            "airing": ["upcoming", "no"],
            "members_at": [date(2024, 4, 12), None],
        }
    )
    first, second = anime_of(read_catalogue_table(frame), np.array([1, 2]))
    assert (first.season, first.airing, first.members_at) == ("2026-fall", "upcoming", date(2024, 4, 12))
    assert (second.season, second.airing, second.members_at) == (None, None, None)
