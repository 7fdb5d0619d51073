"""The evaluation shows a model nothing of what it is judged on, and refuses a training set that holds it."""

import numpy as np
import polars as pl
import pytest

from gars.application.evaluate import LikeScores, score_lists
from gars.application.progress import Silent
from gars.datasets.splits import HeldOutUser, LikeSplit, TopNSplit
from gars.domain.errors import InvalidInputError
from gars.library import protocols
from gars.testing.world import SMALL, small_world


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


def test_what_is_shown_of_a_user(rows: pl.DataFrame, topn_split: TopNSplit) -> None:
    for protocol in ("A", "B"):
        for case, user in zip(protocols.topn_cases(rows, topn_split.test, protocol), topn_split.test, strict=True):
            shown = {item for item, _ in case.history}
            assert not shown & set(user.targets.tolist())
            assert set(user.fold_in.tolist()) <= shown
            assert (len(shown) > len(user.fold_in)) == (protocol == "B")


def test_judging_lists_and_likes_end_to_end(rows: pl.DataFrame, topn_split: TopNSplit, like_split: LikeSplit) -> None:
    catalogue = small_world()[1]
    training = protocols.topn_training(rows, topn_split, "B")
    fitted = protocols.fit_on(
        training, catalogue.with_columns(score=pl.lit(7.0)), config=SMALL, seed=0, progress=Silent()
    )
    assert all(anime.score is None and anime.members is None for anime in fitted.engine.anime)
    scores = protocols.judge_topn(fitted, protocols.topn_cases(rows, topn_split.test, "B"), topn_split.items, Silent())
    assert set(scores) == {"edlae", "deepwalk", "item_knn", "content", "popularity", "retrieval", "two stages"}
    recall = {name: one.per_user["recall@20"].mean() for name, one in scores.items()}
    assert recall["retrieval"] > recall["popularity"] + 0.1
    assert recall["two stages"] > recall["popularity"] + 0.1
    likes = protocols.judge_likes(fitted, rows, like_split, "e", Silent())
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
