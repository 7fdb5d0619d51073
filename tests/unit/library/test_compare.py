"""The better of both orders is served, by users that neither stage was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Filters, Recommender
from gars.library.compare import COMPARED, FUSED, RANKED, compare
from gars.ranking.examples import NOT_ASKED, RankingList
from gars_test_support.world import SMALL


def foreign(seed: int = 0) -> pl.DataFrame:
    """200 users of six groups over 300 items; no ratings, no catalogue."""
    rng = np.random.default_rng(seed)
    rows = set()
    for user in range(200):
        own = rng.choice(50, 14, replace=False) * 6 + user % 6
        rows |= {(user, int(item)) for item in [*own, *rng.choice(300, 6)]}
    return pl.DataFrame(sorted(rows), schema=["user_id", "item_id"], orient="row")


QUICK = msgspec.structs.replace(SMALL, ranking=msgspec.structs.replace(SMALL.ranking, epochs=3))


class Fixed:
    """Orders by given scores."""

    def __init__(self, scores: np.ndarray) -> None:
        self._scores = scores

    def order_scores(self, features: np.ndarray, rows: np.ndarray, taste: np.ndarray) -> np.ndarray:
        return np.asarray(self._scores[rows])


def ranking_list(order: list[float]) -> RankingList:
    m = len(order)
    return RankingList(
        zeros(m, 1), np.arange(m, dtype=np.int64), zeros(1), np.array(order, np.float32), np.array(order, np.float32)
    )


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def test_both_orders_are_compared_on_the_candidates() -> None:
    lists = [ranking_list([0, 1, 0, NOT_ASKED]), ranking_list([0, 0, 0, 1])]
    found = compare(Fixed(np.array([0.1, 0.9, 0.5, 0.7], np.float32)), iter(lists))  # type: ignore[arg-type]
    second, fourth = 1 / np.log2(3), 1 / np.log2(5)
    assert found[FUSED] == pytest.approx((second + fourth) / 2)
    assert found[RANKED] == pytest.approx((1 + second) / 2)
    assert found[COMPARED] == 2
    assert compare(Fixed(zeros(4)), [ranking_list([0, 0, NOT_ASKED])]) == {}  # type: ignore[arg-type]


def test_the_order_that_is_served_is_the_better_one() -> None:
    fitted = Recommender.fit(foreign(), config=QUICK, progress=False)
    assert fitted.measured[COMPARED] >= 20
    assert fitted.config.serve_ranker == (fitted.measured[RANKED] >= fitted.measured[FUSED])


def test_a_ranker_that_loses_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = {FUSED: 0.4, RANKED: 0.39, COMPARED: 50.0}
    monkeypatch.setattr("gars.library.fitting.compare", lambda network, lists: lost)
    fitted = Recommender.fit(foreign(), config=QUICK, progress=False)
    assert not fitted.config.serve_ranker
    engine, history = fitted.engine, fitted.read_history(None, 3)
    assert engine.network is not None
    fused = engine.retrieve_ids(history, k=20, filters=Filters()).tolist()
    assert [one.anime_id for one in fitted.recommend(user_id=3, k=20)] == fused
    ranked = replace(engine, serve_ranker=True)
    assert ranked.ranked_ids(history, k=20, filters=Filters()).tolist() != fused
    manifest = fitted.save(tmp_path / "model")
    assert manifest.config["serve_ranker"] is False
    assert manifest.metrics[FUSED] == 0.4
    loaded = Recommender.load(tmp_path / "model")
    assert [one.anime_id for one in loaded.recommend(user_id=3, k=20)] == fused


def test_of_fewer_than_200_users_with_genres_none_is_kept_out(small: Recommender) -> None:
    assert small.config.serve_ranker
    assert COMPARED not in small.measured


def test_with_genres_a_twentieth_of_the_users_is_compared_on() -> None:
    genres = pl.DataFrame({"item_id": range(300), "title": [f"Item {n}" for n in range(300)], "genres": "Even, All"})
    fitted = Recommender.fit(foreign(), genres, config=QUICK, progress=False)
    n_users, lists_each = 200 // 20, 5
    assert 0 < fitted.measured[COMPARED] <= n_users * lists_each
