from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from gars.domain.anime import Anime
from gars.domain.item_table import build
from gars.library.blas import one_thread
from gars.library.fitting import FitHooks
from gars.library.recommender import fit_with
from gars.ranking import gaussian_process
from gars.ranking.examples import NOT_ASKED, RankingLists
from gars.ranking.mlp import VIEWERS
from gars.retrieval import content, matrix, retriever
from gars.retrieval.hidden import hide_viewers
from gars.retrieval.retriever import Retriever
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world

HIDDEN = np.array([2, 5])
USERS, ITEMS = 120, 30


def fitted(
    *, without: np.ndarray | None = None, hidden: np.ndarray | None = None
) -> tuple[Retriever, gaussian_process.GaussianProcess]:
    """Both models of random lists in two tastes, optionally without the entries of some items."""
    rng = np.random.default_rng(0)
    taste = np.arange(USERS) % 2
    likes = rng.random((USERS, ITEMS)) < np.where((np.arange(ITEMS) % 2)[None] == taste[:, None], 0.5, 0.1)
    user, item = np.nonzero(likes)
    if without is not None:
        kept = ~np.isin(item, without)
        user, item = user[kept], item[kept]
    rating = (6 + 3 * (item % 2 == taste[user])).astype(np.float32)
    training = matrix.from_rows(user, item, rating, n_users=USERS, n_items=ITEMS)
    anime = [
        Anime(anime_id=place + 1, title=f"Title {place}", genres=(("Action", "Drama")[place % 2], f"G{place % 5}"))
        for place in range(ITEMS)
    ]
    items = build(anime).with_statistics(training.weights.indices.astype(np.int64), training.ratings)
    described = content.describe(anime)
    config = retriever.RetrievalConfig(ials_dim=8, dim=8, walks_per_node=4)
    with one_thread(), ThreadPoolExecutor(1) as workers:
        model = retriever.fit(
            training, items, workers.submit(lambda: (content.fit(described),)), config=config, seed=0,
            progress=Silent(), workers=workers,
        )  # fmt: skip
    kriged = gaussian_process.fit(
        training.weights, training.ratings, described, model.vectors, items, seed=0, hidden=hidden
    )
    return model, kriged


def test_hidden_items_keep_only_catalogue_channels() -> None:
    whole, _ = fitted()
    shown = hide_viewers(whole, HIDDEN)
    others = np.setdiff1d(np.arange(ITEMS), HIDDEN)
    for before, after in zip(whole.channels, shown.channels, strict=True):
        kept = after.weights.toarray()
        if after.name == "content":
            assert (kept == before.weights.toarray()).all()
        else:
            assert not kept[:, HIDDEN].any()
            assert (kept[:, others] == before.weights.toarray()[:, others]).all()
    assert not shown.items.counts[HIDDEN].any()
    assert (shown.items.counts[others] == whole.items.counts[others]).all()
    rows, weights = np.array([0, 4]), np.ones(2, np.float32)
    found = shown.scored(rows, weights, HIDDEN)
    place = found.channel_names.index("content")
    expected = whole.scored(rows, weights, HIDDEN)
    assert found.channel_scores[:, place] == pytest.approx(expected.channel_scores[:, place])
    assert not found.supporters[:, [0, 1, 2]].any()


def test_hidden_items_are_expected_as_by_a_kernel_fitted_without_them() -> None:
    _, hidden = fitted(hidden=HIDDEN)
    _, without = fitted(without=HIDDEN)
    _, whole = fitted()
    others = np.setdiff1d(np.arange(ITEMS), HIDDEN)
    assert (hidden.factors[others] == whole.factors[others]).all()
    assert not sp.csr_array(hidden.corrections)[HIDDEN].nnz
    rows, ratings = np.array([1, 3, 7, 9]), np.full(4, 9, np.float32)
    ours, theirs = (one.predict(rows, ratings, HIDDEN) for one in (hidden, without))
    liking = ours[:, 2:4], theirs[:, 2:4], whole.predict(rows, ratings, HIDDEN)[:, 2:4]
    assert liking[0] == pytest.approx(liking[1], abs=0.1)
    assert np.abs(liking[0] - liking[1]).max() < np.abs(liking[2] - liking[1]).max() / 2


def test_training_lists_ask_for_hidden_titles_and_never_for_titles_on_no_list() -> None:
    interactions, catalogue = small_world()
    unwatched = [130, 131]
    lists: list[RankingLists] = []
    fitted = fit_with(
        FitHooks(on_lists=lists.append),
        interactions.filter(~pl.col("item_id").is_in(unwatched)),
        catalogue,
        config=msgspec.structs.replace(SMALL, hidden_titles=0.3),
    )
    (found,) = lists
    asked = found.order != NOT_ASKED
    without_viewers = found.features[..., VIEWERS] == 0
    assert (found.order[without_viewers] > 0).any()
    assert not np.isin(found.rows[asked], fitted.engine.retriever.items.rows(np.array(unwatched))).any()
