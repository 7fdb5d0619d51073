"""Each baseline learns what a small world has to teach, sees nothing else, and is named when it cannot be had."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gars import Recommender
from gars.datasets import movielens
from gars.domain.errors import FetchError, InvalidInputError, MissingExtraError
from gars.domain.history import Rating, from_columns
from gars.evaluation import predictors
from gars.evaluation.baselines import averages_mlp, ease, gaussian_process, ials, item2vec_sets, lightgbm, like_rates
from gars.evaluation.baselines.model import LikeModel, ListModel, Training
from gars.evaluation.benchmark import Benchmark
from gars.library.fitting import FitHooks
from gars.library.frames import rows_of
from gars.library.recommender import fit_with
from gars.ranking.examples import RankingLists
from gars.retrieval import matrix
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world

EVEN_FAN = [Rating(100, 10), Rating(102, 9), Rating(104, 9), Rating(101, 3), Rating(103, 5)]


@pytest.fixture(scope="module")
def training() -> Training:
    interactions, catalogue = small_world()
    kept: list[RankingLists] = []
    fitted = fit_with(FitHooks(on_lists=kept.append), interactions, catalogue, config=SMALL)
    rows = rows_of(interactions, catalogue["item_id"].to_list())
    weights = matrix.from_rows(
        rows.user, rows.item, rows.rating, n_users=len(rows.user_ids), n_items=len(rows.item_ids)
    )
    return Training(weights, fitted.engine.retriever.items, fitted.engine, kept[0], has_ratings=True, seed=0)


@pytest.fixture(scope="module")
def product(training: Training) -> Recommender:
    interactions, catalogue = small_world()
    return Recommender(training.engine, rows_of(interactions, catalogue["item_id"].to_list()), None)


def share_of_camp(model: ListModel, product: Recommender) -> float:
    """How much of the first ten is of the camp of the history's liked titles."""
    case = predictors.EvalUser(EVEN_FAN, np.empty(0, np.int64))
    rows = predictors.rank_lists([model], product, [case], product.item_ids, Silent())[model.name].rows[0, :10]
    assert not set(product.item_ids[rows]) & {one.anime_id for one in EVEN_FAN}
    return float(np.mean(product.item_ids[rows] % 2 == 0))


def likes(model: LikeModel, product: Recommender) -> tuple[float, float]:
    """Mean probability of titles of the user's camp and of the other one."""
    ids = np.array([106, 108, 110, 112, 107, 109, 111, 113])
    found = predictors.predict_likes([model], product, {1: EVEN_FAN}, np.ones(8, np.int64), ids, Silent())[model.name].p
    assert ((found >= 0) & (found <= 1)).all()
    return float(found[:4].mean()), float(found[4:].mean())


@pytest.mark.parametrize("module", [ease, item2vec_sets], ids=["ease", "item2vec"])
def test_lists_follow_taste(module: object, training: Training, product: Recommender) -> None:
    assert share_of_camp(module.fit(training), product) >= 0.8  # type: ignore[attr-defined]


def test_ials_lists_follow_taste(training: Training, product: Recommender) -> None:
    pytest.importorskip("implicit", reason="the iALS baseline needs the bench extra")
    assert share_of_camp(ials.fit(training), product) >= 0.8


def test_lightgbm_takes_the_place_of_the_network(training: Training, product: Recommender) -> None:
    pytest.importorskip("lightgbm", reason="the LightGBM baselines need the bench extra")
    ranker = predictors.BothStages(lightgbm.order_engine(training), "retrieval + LambdaMART")
    assert share_of_camp(ranker, product) >= 0.8
    own, other = likes(predictors.LikeHead(lightgbm.like_engine(training), "LightGBM"), product)
    assert own > other + 0.2


def test_lightgbm_without_training_lists_is_an_error(training: Training) -> None:
    without = Training(training.matrix, training.items, training.engine, None, has_ratings=True, seed=0)
    with pytest.raises(InvalidInputError, match="there are no training lists for a ranker"):
        lightgbm.order_engine(without)


def test_gaussian_process_alone_separates_the_two_groups(training: Training, product: Recommender) -> None:
    own, other = likes(gaussian_process.fit(training), product)
    assert own > other + 0.1


def test_averages_of_genres_separate_the_two_groups(training: Training, product: Recommender) -> None:
    own, other = likes(averages_mlp.fit(training), product)
    assert own > other + 0.1


def test_a_training_rows_averages_leave_the_row_out(training: Training) -> None:
    user, item, rating = training.rated()
    liked = (rating > 7).astype(np.float32)
    sums = averages_mlp._without_the_row(training, user, item, rating, liked)
    others = (user == user[5]) & (np.arange(len(user)) != 5)
    assert sums.user_count[5] == others.sum()
    assert sums.user_likes[5] == liked[others].sum()
    assert sums.user_rating[5] == pytest.approx(rating[others].sum())
    assert sums.genre_likes[5].tolist() == (liked[others] @ training.items.genres[item[others]]).tolist()
    elsewhere = (item == item[5]) & (np.arange(len(user)) != 5)
    assert sums.item_likes[5] == liked[elsewhere].sum()
    # what is left out in training is what a history without the title gives in serving
    ids = training.items.anime_ids[item[others]]
    served = averages_mlp._of_history(training.items, from_columns(ids, rating[others]), item[5:6])
    assert served.user_likes[0] == sums.user_likes[5]
    assert served.genre_count[0].tolist() == sums.genre_count[5].tolist()


def test_rates_and_biases_know_the_user_but_no_taste(training: Training, product: Recommender) -> None:
    for model in (like_rates.user_and_item_rate(training.items), like_rates.bias(training)):
        happy = [Rating(one.anime_id, 10) for one in EVEN_FAN]
        unhappy = [Rating(one.anime_id, 2) for one in EVEN_FAN]
        ids, one_user = np.array([106, 107]), np.ones(2, np.int64)
        up, down = (
            predictors.predict_likes([model], product, {1: shown}, one_user, ids, Silent())[model.name].p
            for shown in (happy, unhappy)
        )
        assert (up > down).all()


def test_a_baseline_sees_the_training_rows_alone(training: Training) -> None:
    user, item, rating = training.rated()
    assert len(user) == len(item) == len(rating) == small_world()[0]["rating"].count()


@pytest.mark.parametrize(
    ("fit", "library", "extra"),
    [
        (ials.fit, "implicit.als", "train"),
        (lightgbm.order_engine, "lightgbm", "bench"),
        (item2vec_sets.fit, "gensim.models", "train"),
    ],
)
def test_without_its_library_the_extra_is_named(
    fit: object, library: str, extra: str, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"the .* baselines? needs optional packages") as refused:
        fit(training)  # type: ignore[operator]
    assert refused.value.hint == f"pip install 'gars[{extra}]'"


class Notes(Silent):
    """Keeps the lines that stay."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def bench(tmp_path: Path, notes: Notes) -> Benchmark:
    nothing = pl.DataFrame()
    return Benchmark(
        nothing, nothing, "validation", 0, SMALL, baselines=True, home=tmp_path, mirror=None, progress=notes
    )


def test_baseline_that_cannot_be_fitted_is_skipped_by_name(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "implicit.als", None)
    notes = Notes()
    run = bench(tmp_path, notes)
    assert run._tried("A", "ials_512", ials.fit, training) == []
    (skipped,) = run.skipped
    assert (skipped.protocol, skipped.name) == ("A", "ials_512")
    assert skipped.reason == "the iALS baseline needs optional packages (pip install 'gars[train]')"
    assert notes.lines == [f"skipped ials_512 of protocol A: {skipped.reason}"]
    assert not run.fits


def test_movielens_that_cannot_be_fetched_is_skipped_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise FetchError("movielens-100k: no network", hint="check the network")

    monkeypatch.setattr(movielens, "fetch", unreachable)
    run = bench(tmp_path, Notes())
    assert list(run.run("movielens", lists=True, likes=True)) == []
    (skipped,) = run.skipped
    assert skipped.reason == "movielens-100k: no network (check the network)"
