"""A simulated viewer depends on the seed and on nothing else."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gars.datasets.schema import INTERACTIONS, STATUSES
from gars.datasets.simulated import invented_catalogue
from gars.datasets.simulator import BLOCK, Effects, Simulator

CATALOGUE = invented_catalogue(300)
LONG = pl.concat(list(Simulator(CATALOGUE, seed=3).blocks(2 * BLOCK)))


@given(viewers=st.integers(1, 2 * BLOCK))
@settings(max_examples=10, deadline=None)
def test_the_first_viewers_are_the_same_however_many_are_asked_for(viewers: int) -> None:
    short = pl.concat(list(Simulator(CATALOGUE, seed=3).blocks(viewers)))
    assert short.equals(LONG.filter(pl.col("user_id") <= viewers))


def test_rows_are_in_the_normal_form() -> None:
    assert dict(LONG.schema) == INTERACTIONS
    assert LONG.select("user_id", "anime_id").equals(
        LONG.select("user_id", "anime_id").unique().sort("user_id", "anime_id")
    )
    assert LONG["user_id"].n_unique() == 2 * BLOCK
    assert set(LONG["anime_id"].to_list()) <= set(CATALOGUE["anime_id"].to_list())
    assert LONG["rating"].drop_nulls().is_between(1, 10).all()
    assert set(LONG["status"].to_list()) <= set(STATUSES)
    planned = LONG.filter(pl.col("status") == "planned")
    assert planned["rating"].null_count() == planned.height > 0


def test_another_seed_gives_other_viewers() -> None:
    other = next(Simulator(CATALOGUE, seed=4).blocks(BLOCK))
    assert not other.equals(LONG.filter(pl.col("user_id") <= BLOCK))


def test_the_catalogue_s_row_order_does_not_matter() -> None:
    shuffled = CATALOGUE.sample(fraction=1, shuffle=True, seed=1)
    assert next(Simulator(shuffled, seed=3).blocks(BLOCK)).equals(LONG.filter(pl.col("user_id") <= BLOCK))


def test_each_effect_moves_what_it_should() -> None:
    """Turning an effect off changes the figure it is responsible for."""

    def watched(**effects: float) -> pl.DataFrame:
        return pl.concat(list(Simulator(CATALOGUE, seed=5, effects=Effects(list_mean=30, **effects)).blocks(2 * BLOCK)))

    plain = watched()
    members = dict(CATALOGUE.select("anime_id", "members").iter_rows())
    scores = dict(CATALOGUE.select("anime_id", "score").iter_rows())

    def mean_of(frame: pl.DataFrame, values: dict[int, float]) -> float:
        return float(np.mean([values[anime] for anime in frame["anime_id"]]))

    assert mean_of(plain, members) > 2 * mean_of(watched(popularity=0.0), members)
    assert mean_of(watched(quality=2.0), scores) > mean_of(watched(quality=0.0), scores) + 0.2
    assert _genre_focus(watched(taste=4.0)) > _genre_focus(watched(taste=0.0)) + 0.02
    assert _shared_franchises(watched(franchise=0.9)) > _shared_franchises(watched(franchise=0.0)) + 0.05
    assert watched(unrated=0.6)["rating"].null_count() > 2 * watched(unrated=0.1)["rating"].null_count()


def _genre_focus(frame: pl.DataFrame) -> float:
    """Mean over viewers of the sum of squared genre shares: 1/8 when they watch all eight alike."""
    genres = CATALOGUE.select("anime_id", "genres").explode("genres")
    counted = frame.join(genres, on="anime_id").group_by("user_id", "genres").len()
    shares = counted.with_columns(share=pl.col("len") / pl.col("len").sum().over("user_id"))
    return float(shares.group_by("user_id").agg((pl.col("share") ** 2).sum())["share"].mean())  # type: ignore[arg-type]


def _shared_franchises(frame: pl.DataFrame) -> float:
    """Share of rows whose viewer has another title of the same franchise."""
    joined = frame.join(CATALOGUE.select("anime_id", "franchise"), on="anime_id")
    return float(joined.select((pl.len().over("user_id", "franchise") > 1).mean()).item())
