"""``Recommender.fit`` on data that are nothing like the sample: it fits, lists and predicts, or says why not."""

import numpy as np
import polars as pl
import pytest

from gars import Rating, Recommender
from gars_test_support.world import SMALL, small_world


def every_answer(rec: Recommender, history: list[tuple[int | str, float | None]]) -> None:
    """Each method answers with finite numbers and without what the history holds."""
    known = {item for item, _ in history}
    found = rec.recommend(history=history, k=10)
    assert not known & {one.anime_id for one in found}
    assert all(np.isfinite([one.score, one.p_like]).all() and 0 <= one.p_like <= 1 for one in found)
    assert len(rec.recommend(history=[], k=5)) == min(5, len(rec.item_ids))
    assert np.isfinite(rec.predict_like(history, rec.item_ids.tolist())).all()
    assert rec.recommend_batch([history, []], k=3).shape == (2, 3)
    rec.similar(rec.item_ids[0].item(), 3)
    rec.similar_users(history=history, k=3)
    rec.retrieve(history, k=5)


def test_no_ratings_at_all() -> None:
    interactions, catalogue = small_world()
    rec = Recommender.fit(interactions.drop("rating"), catalogue, config=SMALL, progress=False)
    assert rec.engine.network is not None
    assert rec.engine.models.gaussian_process is None
    every_answer(rec, [(100, None), (102, None), (104, None)])


def test_a_rating_column_without_a_rating() -> None:
    interactions, _ = small_world()
    empty = interactions.with_columns(pl.lit(None, dtype=pl.Int8).alias("rating"))
    rec = Recommender.fit(empty, config=SMALL, progress=False)
    every_answer(rec, [(100, None), (102, None)])


def test_every_rating_the_same() -> None:
    interactions, _ = small_world()
    rec = Recommender.fit(interactions.with_columns(rating=pl.lit(9)), config=SMALL, progress=False)
    every_answer(rec, [(100, 9), (102, 9)])
    assert rec.predict_like([Rating(100, 9)], [106])[0] > 0.8


def test_nothing_was_liked() -> None:
    interactions, _ = small_world()
    rec = Recommender.fit(interactions.with_columns(rating=pl.lit(3)), config=SMALL, progress=False)
    every_answer(rec, [(100, 3), (102, 3)])
    assert rec.predict_like([Rating(100, 3)], [106])[0] < 0.4


def test_three_users_and_their_few_titles() -> None:
    frame = pl.DataFrame({"user_id": [1, 1, 2, 2, 3], "item_id": [10, 11, 10, 12, 12], "rating": [9, 4, 8, 7, 10]})
    rec = Recommender.fit(frame, progress=False)
    assert rec.engine.network is None
    every_answer(rec, [(10, 9)])


def test_one_user_with_one_title() -> None:
    rec = Recommender.fit(pl.DataFrame({"user_id": ["a"], "item_id": ["x"], "rating": [5]}), progress=False)
    every_answer(rec, [("x", 5)])


def test_sixty_users_of_one_item() -> None:
    frame = pl.DataFrame({"user_id": range(60), "item_id": [7] * 60, "rating": [9, 3] * 30})
    rec = Recommender.fit(frame, config=SMALL, progress=False)
    every_answer(rec, [(7, 9)])


def test_sixty_users_who_share_nothing() -> None:
    frame = pl.DataFrame({"user_id": range(60), "item_id": range(60), "rating": [9, 3] * 30})
    rec = Recommender.fit(frame, config=SMALL, progress=False)
    every_answer(rec, [(0, 9), (1, 3)])


def test_repeated_rows() -> None:
    interactions, catalogue = small_world()
    once = Recommender.fit(interactions, catalogue, config=SMALL, progress=False)
    thrice = Recommender.fit(pl.concat([interactions] * 3), catalogue, config=SMALL, progress=False)
    history = [Rating(100, 10), Rating(102, 9)]
    assert thrice.recommend(history=history, k=20) == once.recommend(history=history, k=20)
    assert thrice._rows.duplicates == 2 * interactions.height


def test_a_history_that_names_a_title_twice_takes_the_last(small: Recommender) -> None:
    twice = [Rating(100, 2), Rating(102, 9), Rating(100, 10)]
    assert small.recommend(history=twice, k=5) == small.recommend(history=[Rating(102, 9), Rating(100, 10)], k=5)


@pytest.mark.parametrize("ids", ["ünïcode-{}", "{} with spaces", "00{}"])
def test_ids_of_any_text(ids: str) -> None:
    interactions, catalogue = small_world()
    named = pl.format(ids, "item_id").alias("item_id")
    rec = Recommender.fit(
        interactions.with_columns(pl.format("user {}", "user_id").alias("user_id"), named),
        catalogue.with_columns(named),
        config=SMALL,
        progress=False,
    )
    every_answer(rec, [(ids.format(100), 10), (ids.format(101), 2)])
    assert rec.history_of("user 4")


@pytest.mark.slow
def test_a_user_with_twenty_thousand_titles() -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    many = pl.DataFrame({"user_id": np.zeros(n, np.int64), "item_id": np.arange(n), "rating": rng.integers(1, 11, n)})
    others = pl.DataFrame(
        {
            "user_id": np.repeat(np.arange(1, 41), 30),
            "item_id": np.concatenate([rng.choice(n, 30, replace=False) for _ in range(40)]),
            "rating": rng.integers(1, 11, 1200),
        }
    )
    rec = Recommender.fit(pl.concat([many, others]), config=SMALL, progress=False)
    assert rec.recommend(user_id=0, k=5) == []
    longest = rec.history_of(0)[: n - 100]
    found = rec.recommend(history=longest, k=50)
    assert len(found) == 50
    assert {one.anime_id for one in found} <= set(range(n - 100, n))
    assert np.isfinite(rec.predict_like(longest, [n - 1])).all()
