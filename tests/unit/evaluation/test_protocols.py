"""The evaluation shows a model nothing of what it is judged on, and refuses a training set that holds it."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from gars import Rating, Recommender
from gars.datasets.splits import HeldOutUser, LikeSplit, TopNSplit
from gars.domain.errors import InvalidInputError
from gars.evaluation import protocols
from gars.evaluation.scores import LikeScores, score_lists
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world

CHANNELS = ("edlae", "deepwalk", "item_knn", "content", "ials", "user_knn", "popularity")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return small_world()[0].rename({"item_id": "anime_id"})


@pytest.fixture(scope="module")
def like_split(rows: pl.DataFrame) -> LikeSplit:
    rated = rows.drop_nulls("rating")
    part = np.random.default_rng(0).choice(["t", "v", "e"], rated.height, p=[0.8, 0.1, 0.1])
    return LikeSplit(rated["user_id"].to_numpy(), rated["anime_id"].to_numpy(), rated["rating"].to_numpy(), part)


@pytest.fixture(scope="module")
def topn_split(rows: pl.DataFrame) -> TopNSplit:
    held = []
    for user in range(120, 150):
        liked = rows.filter((pl.col("user_id") == user) & (pl.col("rating") > 7))["anime_id"].to_numpy()
        held.append(HeldOutUser(user, liked[2:], liked[:2]))
    return TopNSplit(np.arange(120), np.unique(rows["anime_id"].to_numpy()), held[:15], held[15:])


def test_like_training_holds_no_held_out_pair_not_even_as_watched(rows: pl.DataFrame, like_split: LikeSplit) -> None:
    training = protocols.like_training(rows, like_split)
    protocols.refuse_like_leak(training, like_split)
    assert training.height == len(like_split.rows("t")) + rows["rating"].null_count()


def test_like_histories_hold_no_held_out_pair(rows: pl.DataFrame, like_split: LikeSplit) -> None:
    histories = protocols.like_histories(rows, like_split)
    for row in like_split.rows("v", "e"):
        assert like_split.anime_id[row] not in {item for item, _ in histories[int(like_split.user[row])]}


def test_a_planted_leak_is_refused(rows: pl.DataFrame, like_split: LikeSplit, topn_split: TopNSplit) -> None:
    with pytest.raises(InvalidInputError, match=r"leak: \d+ of \d+ held-out rows were seen by the training rows"):
        protocols.refuse_like_leak(rows, like_split)
    with pytest.raises(InvalidInputError, match="leak: 30 of 30"):
        protocols.refuse_topn_leak(rows, topn_split.test)
    for protocol in ("A", "B"):
        protocols.refuse_topn_leak(protocols.topn_training(rows, topn_split, protocol), topn_split.test)


def test_user_statistics_from_all_rows_are_refused(rows: pl.DataFrame, like_split: LikeSplit) -> None:
    """The leak behind public 80 % figures: what a user's averages are made of holds the rows they are judged on."""
    everything = protocols.like_histories(
        rows, dataclasses.replace(like_split, part=np.full(len(like_split.user), "t"))
    )
    with pytest.raises(InvalidInputError, match=r"held-out rows were seen by the histories that user statistics are"):
        protocols.refuse_shown_leak(everything, like_split)
    protocols.refuse_shown_leak(protocols.like_histories(rows, like_split), like_split)


def test_one_held_out_row_in_one_history_is_enough(rows: pl.DataFrame, like_split: LikeSplit) -> None:
    histories = protocols.like_histories(rows, like_split)
    row = like_split.rows("e")[0]
    histories[int(like_split.user[row])].append(Rating(int(like_split.anime_id[row]), None))
    with pytest.raises(InvalidInputError, match="leak: 1 of "):
        protocols.refuse_shown_leak(histories, like_split)


def test_item_statistics_from_all_rows_are_refused(
    rows: pl.DataFrame, like_split: LikeSplit, small: Recommender
) -> None:
    """``small`` was fitted on every row, so its items' like rates count the held-out ones."""
    training, items = protocols.like_training(rows, like_split), small.engine.retriever.items
    protocols.refuse_statistics_leak(items, rows)
    with pytest.raises(
        InvalidInputError, match=r"leak: the statistics of \d+ of 60 items count rows that are not train"
    ):
        protocols.refuse_statistics_leak(items, training)
    honest = items.with_statistics(
        items.rows(training["anime_id"].to_numpy()),
        training["rating"].cast(pl.Float32).fill_null(float("nan")).to_numpy().astype(np.float32),
    )
    protocols.refuse_statistics_leak(honest, training)
    likes = honest.liked_counts.copy()
    likes[7] += 1  # one like too many, as from one held-out row
    with pytest.raises(InvalidInputError, match="leak: the statistics of 1 of 60 items"):
        protocols.refuse_statistics_leak(dataclasses.replace(honest, liked_counts=likes), training)


def test_evaluating_likes_refuses_a_model_of_all_rows(
    rows: pl.DataFrame, like_split: LikeSplit, monkeypatch: pytest.MonkeyPatch, small: Recommender
) -> None:
    all_histories = protocols.like_histories(
        rows, dataclasses.replace(like_split, part=np.full(len(like_split.user), "c"))
    )
    monkeypatch.setattr(protocols, "like_histories", lambda *_: all_histories)
    with pytest.raises(InvalidInputError, match="held-out rows were seen by the histories"):
        protocols.measure_likes(small, rows, like_split, "e", Silent())


def test_what_is_shown_of_a_user(rows: pl.DataFrame, topn_split: TopNSplit) -> None:
    for protocol in ("A", "B"):
        for case, user in zip(protocols.topn_users(rows, topn_split.test, protocol), topn_split.test, strict=True):
            shown = {item for item, _ in case.history}
            assert not shown & set(user.targets.tolist())
            assert set(user.fold_in.tolist()) <= shown
            assert (len(shown) > len(user.fold_in)) == (protocol == "B")


def test_evaluating_lists_and_likes_end_to_end(
    rows: pl.DataFrame, topn_split: TopNSplit, like_split: LikeSplit
) -> None:
    catalogue = small_world()[1]
    training = protocols.topn_training(rows, topn_split, "B")
    fitted = protocols.fit_on(
        training, catalogue.with_columns(score=pl.lit(7.0)), config=SMALL, seed=0, progress=Silent()
    )
    assert all(anime.score is None and anime.members is None for anime in fitted.engine.anime)
    scores = protocols.measure_topn(
        fitted, protocols.topn_users(rows, topn_split.test, "B"), topn_split.items, Silent()
    )
    assert set(scores) == {*CHANNELS, "retrieval", "two stages"}
    recall = {name: one.per_user["recall@20"].mean() for name, one in scores.items()}
    assert recall["retrieval"] > recall["popularity"] + 0.1
    assert recall["two stages"] > recall["popularity"] + 0.1
    likes = protocols.measure_likes(fitted, rows, like_split, "e", Silent())
    assert likes["two stages"].values()["auc"] > likes["user and item rate"].values()["auc"] + 0.1


def test_intervals_are_paired_and_hold_their_mean() -> None:
    rng = np.random.default_rng(0)
    targets = [rng.choice(200, 5, replace=False) for _ in range(60)]
    good = np.stack([np.r_[t[:3], rng.permutation(np.setdiff1d(np.arange(200), t))[:97]] for t in targets])
    bad = np.stack([rng.permutation(200)[:100] for _ in targets])
    one, other = score_lists(good, targets, 200), score_lists(bad, targets, 200)
    gain = one.gain_over(other, seed=0)["ndcg@10"]
    assert gain.low > 0
    assert gain.low < gain.mean < gain.high
    assert one.gain_over(one, seed=0)["recall@20"].high == 0


def test_like_intervals_cover_the_value() -> None:
    rng = np.random.default_rng(0)
    liked = rng.random(500) < 0.6
    scores = LikeScores(rng.integers(0, 40, 500), liked, np.clip(0.6 * liked + 0.4 * rng.random(500), 0, 1))
    for name, interval in scores.intervals(seed=0).items():
        assert interval.low <= interval.mean <= interval.high, name
    assert scores.values()["auc"] > 0.95


def test_like_gains_are_paired() -> None:
    rng = np.random.default_rng(0)
    liked, user = rng.random(500) < 0.6, rng.integers(0, 40, 500)
    good = LikeScores(user, liked, np.clip(0.5 * liked + 0.5 * rng.random(500), 0, 1))
    bad = LikeScores(user, liked, rng.random(500))
    gain = good.gain_over(bad, seed=0)
    for name in ("accuracy", "auc"):
        assert gain[name].mean == pytest.approx(good.values()[name] - bad.values()[name])
        assert 0 < gain[name].low < gain[name].mean < gain[name].high
        assert good.gain_over(good, seed=0)[name].high == 0
