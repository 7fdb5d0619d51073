"""The exported numpy network is the trained Keras model.

Compared: both heads' raw outputs over whole lists, known and unknown items. Not compared: training-time dropout.
"""

import random

import numpy as np
import pytest

from gars.domain.anime import Anime
from gars.domain.item_table import ItemTable, build
from gars.ranking import mlp
from gars.ranking.examples import NOT_ASKED, RankingLists
from gars.ranking.mlp import RankingConfig

N_ITEMS, N_FEATURES, PLACES = 30, 7, 12


@pytest.fixture(scope="module")
def items() -> ItemTable:
    return build(
        [
            Anime(anime_id=n, title=str(n), type=("TV", "Movie", None)[n % 3], genres=("A", "B", "C")[: n % 4])
            for n in range(N_ITEMS)
        ]
    )


@pytest.fixture(scope="module")
def lists(items: ItemTable) -> RankingLists:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((64, PLACES, N_FEATURES)).astype(np.float32) * 5 + 3
    features[:, :, -1] = 2.0  # never varies
    like = rng.integers(0, 2, (64, PLACES)).astype(np.float32)
    like[:, -2:] = NOT_ASKED
    return RankingLists(
        features=features,
        rows=rng.integers(0, N_ITEMS - 5, (64, PLACES)).astype(np.int32),
        taste=rng.standard_normal((64, 2 * len(items.genre_names))).astype(np.float32),
        order=rng.integers(0, 2, (64, PLACES)).astype(np.float32),
        like=like,
        n_like=PLACES - 2,
    )


def test_exported_scores_are_the_models(items: ItemTable, lists: RankingLists) -> None:
    model = mlp.build(items, lists, RankingConfig(hidden=(16, 8)), random.Random(0))
    network = mlp.export(model, items, labelled=np.arange(N_ITEMS, dtype=np.int32))
    predicted = model.predict({"features": lists.features, "rows": lists.rows, "taste": lists.taste}, verbose=0)
    for user in range(0, 64, 7):
        order, p_like = network.score(lists.features[user], lists.rows[user].astype(np.int64), lists.taste[user])
        assert np.allclose(order, predicted["order"][user], atol=1e-4)
        assert predicted["like"].shape == (64, lists.n_like)
        assert np.allclose(p_like[: lists.n_like], 1 / (1 + np.exp(-predicted["like"][user])), atol=1e-5)


def test_features_are_scaled_by_the_statistics_of_the_labelled_places(
    lists: RankingLists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlp, "_AT_A_TIME", 10)  # several blocks, the last one shorter
    order = lists.order.copy()
    order[:, ::3] = NOT_ASKED
    like = np.full_like(lists.like, NOT_ASKED)
    some = RankingLists(lists.features, lists.rows, lists.taste, order, like, 1)
    labelled = lists.features[order >= 0].astype(np.float64)
    mean, deviation = mlp.standard_scale(some)
    np.testing.assert_allclose(mean, labelled.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation[:-1], labelled.std(axis=0)[:-1], rtol=1e-6)
    assert np.isinf(deviation[-1])


def test_title_without_a_label_has_the_shared_unknown_embedding(items: ItemTable, lists: RankingLists) -> None:
    model = mlp.build(items, lists, RankingConfig(hidden=(16, 8)), random.Random(0))
    network = mlp.export(model, items, labelled=np.arange(10, dtype=np.int32))
    assert np.array_equal(network.item_embedding[11], network.item_embedding[29])
    assert not np.array_equal(network.item_embedding[9], network.item_embedding[29])


def test_constant_feature_has_no_weight(items: ItemTable, lists: RankingLists) -> None:
    model = mlp.build(items, lists, RankingConfig(hidden=(16, 8)), random.Random(0))
    network = mlp.export(model, items, labelled=np.arange(N_ITEMS, dtype=np.int32))
    rows = lists.rows[0].astype(np.int64)
    changed = lists.features[0].copy()
    changed[:, -1] = 1e9
    assert np.array_equal(
        network.score(changed, rows, lists.taste[0])[0], network.score(lists.features[0], rows, lists.taste[0])[0]
    )


def test_no_candidates_have_no_scores(items: ItemTable, lists: RankingLists) -> None:
    model = mlp.build(items, lists, RankingConfig(hidden=(16, 8)), random.Random(0))
    network = mlp.export(model, items, labelled=np.arange(N_ITEMS, dtype=np.int32))
    order, p_like = network.score(np.empty((0, N_FEATURES), np.float32), np.empty(0, np.int64), lists.taste[0])
    assert len(order) == len(p_like) == 0
