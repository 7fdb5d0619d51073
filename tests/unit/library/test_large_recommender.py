"""A recommender whose stage one is that of a large catalogue, on a small one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from gars import Filters, Recommender
from gars.application.recommend.list_request import ListRequest
from gars.domain.errors import UnknownItemError
from gars.kernels.pools import Lists
from gars.library.fit_config import FitConfig
from gars.library.lists_file import write_lists
from gars.library.recommender import UnknownIdsWarning
from gars.retrieval.large import LargeRetriever
from gars.retrieval.large_config import LargeConfig
from gars.retrieval.retriever import RetrievalConfig
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world

LARGE = FitConfig(
    retrieval=RetrievalConfig(
        large=LargeConfig(from_items=100, trials=3, rank=24, pool=60, edlae_neighbours=20, walk_neighbours=40)
    )
)

NONE = np.empty(0, np.int64)


def interactions() -> pl.DataFrame:
    """Users of eight groups, each with items of its own and some of all; ids are text."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(240):
        own = user % 8 + 8 * rng.choice(30, 14, replace=False)
        rows += [(f"u{user:03d}", f"i{item}") for item in [*own, *rng.choice(240, 4, replace=False)]]
    return pl.DataFrame(sorted(set(rows)), schema=["user_id", "item_id"], orient="row")


@pytest.fixture(scope="module")
def fitted() -> Recommender:
    return Recommender.fit(interactions(), config=LARGE, progress=False)


def test_many_items_are_fitted_by_the_channels_of_large_catalogues(fitted: Recommender) -> None:
    assert isinstance(fitted.engine.retriever, LargeRetriever)
    weights = fitted.engine.retriever.config.weights
    assert set(weights) == {"walks", "edlae", "user_knn", "popularity", "spectral"}
    assert any(weights.values())
    measured = fitted.measured
    single = max(measured[f"ndcg@20 {name}"] for name in weights)
    assert measured["ndcg@20 fused"] > 0.9 * single
    assert measured["ndcg@20 fused"] > 2 * measured["ndcg@20 popularity"]


def test_a_catalogue_with_genres_keeps_the_ranker() -> None:
    rows, catalogue = small_world()
    always = msgspec.structs.replace(SMALL.retrieval, large=LargeConfig(from_items=1))
    config = msgspec.structs.replace(SMALL, retrieval=always)
    fitted = Recommender.fit(rows, catalogue, config=config, progress=False)
    assert fitted.engine.network is not None
    assert not isinstance(fitted.engine.retriever, LargeRetriever)


def test_lists_are_of_the_users_group(fitted: Recommender) -> None:
    found = fitted.recommend(user_id="u003", k=10)
    groups = [int(str(one.anime_id)[1:]) % 8 for one in found]
    assert groups.count(3) >= 8
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert {name for one in found for name in one.channels} >= {"walks", "edlae", "user_knn"}
    assert all(one.reasons for one in found)


def test_a_batch_has_the_ids_of_one_by_one(fitted: Recommender) -> None:
    users = fitted.user_ids.tolist()[:50]
    (some, ids), (rest, more) = fitted.recommend_users(users, 30, block=40)
    assert [*some, *rest] == users
    alone = [[str(one.anime_id) for one in fitted.recommend(user_id=user, k=30)] for user in users]
    assert fitted.item_ids[np.vstack([ids, more])].tolist() == alone
    histories = [fitted.history_of(user) for user in users]
    assert fitted.item_ids[fitted.recommend_batch(histories, 30)].tolist() == alone


def test_a_batch_of_odd_histories_has_the_ids_of_one_by_one(fitted: Recommender) -> None:
    own: list[tuple[str, float | None]] = [("i3", None), ("i11", None), ("i19", 4.0), ("i27", None)]
    histories: list[list[tuple[str, float | None]]] = [
        own,
        [],
        [*own, ("i3", None), ("i19", None)],
        [("i4", None), ("no such item", None)],
        own[::-1],
    ]
    filters = Filters(exclude_ids=(12, 20))
    with pytest.warns(
        UnknownIdsWarning, match="1 of 2 ids in the history are unknown and were left out: 'no such"
    ) as warnings:
        ids = fitted.recommend_batch(histories, 40, filters=filters)
    assert len(warnings) == 1
    with pytest.warns(UnknownIdsWarning):
        alone = [fitted.recommend(history, k=40, filters=filters) for history in histories]
    assert fitted.item_ids[ids].tolist() == [[one.anime_id for one in found] for found in alone]
    last: list[tuple[str, float | None]] = [
        ("i11", None),
        ("i27", None),
        ("i3", None),
        ("i19", None),
    ]  # of an item named twice the last entry counts
    assert ids[2].tolist() == fitted.recommend_batch([last], 40, filters=filters)[0].tolist() != ids[0].tolist()
    some = fitted.recommend_batch([own], 300)[0]
    assert (some >= 0).sum() == len(fitted.item_ids) - len(own)
    assert (some[(some >= 0).sum() :] == -1).all()


def test_the_small_engine_scores_batches_one_by_one_too(small: Recommender) -> None:
    users = small.user_ids.tolist()[:20]
    ((_, ids),) = small.recommend_users(users, 15)
    assert ids.tolist() == [[one.anime_id for one in small.recommend(user_id=user, k=15)] for user in users]


def test_the_order_of_all_items_is_that_of_the_pool(fitted: Recommender) -> None:
    retriever, history = fitted.engine.retriever, fitted.read_history(None, "u020")
    rows, weights = fitted.engine.query(history)
    scores = retriever.fuse(retriever.scores(rows, weights), cold=False)
    pool = fitted.engine.retrieve(history, want=20, filters=Filters())
    np.testing.assert_allclose(scores[pool.rows], pool.fused, rtol=1e-5)
    np.testing.assert_allclose(retriever.scored(rows, weights, pool.rows).fused, pool.fused, rtol=1e-5)


def test_pages_continue_each_other_and_filters_act_before_the_cut(fitted: Recommender) -> None:
    history = fitted.read_history(None, "u010")
    whole = [one.anime_id for one in fitted.engine.recommend_history(history, ListRequest(k=40, filters=Filters()))]
    second = [
        one.anime_id
        for one in fitted.engine.recommend_history(history, ListRequest(k=20, offset=20, filters=Filters()))
    ]
    assert second == whole[20:]
    without = Filters(exclude_ids=tuple(whole[:5]))
    assert not {
        one.anime_id for one in fitted.engine.recommend_history(history, ListRequest(k=20, filters=without))
    } & {*whole[:5]}


def test_an_empty_history_gets_the_popular_items(fitted: Recommender) -> None:
    counts = fitted.engine.retriever.items.counts
    found = fitted.recommend([], k=5)
    rows = [fitted.item_ids.tolist().index(one.anime_id) for one in found]
    assert counts[rows].tolist() == sorted(counts, reverse=True)[:5]


def test_popularity_alone_orders_the_pool_of_an_empty_history(fitted: Recommender) -> None:
    retriever = fitted.engine.retriever
    assert isinstance(retriever, LargeRetriever)
    against = {**retriever.config.weights, "popularity": -1.0}
    retriever = replace(retriever, config=msgspec.structs.replace(retriever.config, weights=against))
    histories = Lists(np.array([0, 0, 2]), np.array([3, 4]), np.ones(2, np.float32), np.zeros(3, np.int64), NONE)
    cold, warm = retriever.best(histories, np.ones(len(retriever.items), np.bool_), 20, want=60)
    assert np.all(np.diff(retriever.popularity[cold]) <= 0)
    assert retriever.popularity[cold[0]] == retriever.popularity.max()
    assert not np.all(np.diff(retriever.popularity[warm]) <= 0)


def test_loaded_model_recommends_the_same(fitted: Recommender, tmp_path: Path) -> None:
    manifest = fitted.save(tmp_path / "model")
    assert manifest.metrics["ndcg@20 fused"] == fitted.measured["ndcg@20 fused"]
    loaded = Recommender.load(tmp_path / "model")
    for user in ("u000", "u123"):
        assert loaded.recommend(user_id=user, k=20) == fitted.recommend(user_id=user, k=20)
    assert loaded.engine.retriever.config == fitted.engine.retriever.config
    assert loaded.similar("i3", k=3) == fitted.similar("i3", k=3)


def test_lists_of_users_are_one_file(fitted: Recommender, tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    assert write_lists(fitted, out, k=10, progress=Silent()) == 240
    table = pl.read_parquet(out)
    assert table.columns == ["user_id", "place", "item_id"]
    first = table.filter(pl.col("user_id") == "u007").sort("place")
    assert first["item_id"].to_list() == [one.anime_id for one in fitted.recommend(user_id="u007", k=10)]
    assert table.height == 2400
    assert [path.name for path in tmp_path.iterdir()] == ["lists.parquet"]


def test_the_same_seed_gives_the_same_model(fitted: Recommender) -> None:
    again = Recommender.fit(interactions(), config=LARGE, progress=False)
    assert again.measured == fitted.measured
    assert again.recommend(user_id="u050", k=20) == fitted.recommend(user_id="u050", k=20)


def test_items_that_are_no_anime_get_no_words_of_anime(fitted: Recommender) -> None:
    texts = [
        reason.text
        for user in ("u001", "u100")
        for one in fitted.recommend(user_id=user, k=10)
        for reason in one.reasons
    ]
    assert all(text.startswith(("Because you chose i", "Although you chose i", "Chosen by many")) for text in texts)
    with pytest.raises(UnknownItemError, match="no item 'song 1'") as raised:
        fitted.similar("song 1")
    assert "anime" not in str(raised.value).lower()
