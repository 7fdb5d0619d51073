"""The bench as a whole, on a small file in the form of MovieLens: both tasks, every baseline, costs, the skipped."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gars.datasets import movielens
from gars.domain.errors import InvalidInputError
from gars.evaluation.benchmark import Benchmark
from gars.evaluation.report.results import LikesResult, ListsResult
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eighty users in two camps over forty films."""
    rng = np.random.default_rng(0)
    ratings = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for user in range(1, 81):
        for item in rng.choice(40, 20, replace=False):
            stars = rng.choice([4, 5]) if item % 2 == user % 2 else rng.choice([1, 2, 3])
            ratings.append(f"{user}\t{item + 1}\t{stars}\t881250949")
    films = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
    films += [f"{n + 1}\tFilm {n}\t{1950 + n}\t{'Drama' if n % 2 else 'Comedy'} All" for n in range(40)]
    (tmp_path / "movielens-100k.inter").write_text("\n".join(ratings) + "\n")
    (tmp_path / "movielens-100k.item").write_text("\n".join(films) + "\n")
    monkeypatch.setattr(movielens, "fetch", lambda source, *_, **__: tmp_path / source.file_name)
    return tmp_path


def bench(home: Path, *, baselines: bool) -> Benchmark:
    nothing = pl.DataFrame()
    return Benchmark(nothing, nothing, "test", 0, SMALL, baselines, home=home, mirror=None, progress=Silent())


def test_both_tasks_with_every_baseline(files: Path) -> None:
    for library in ("implicit", "lightgbm"):
        pytest.importorskip(library, reason="iALS and LightGBM need the bench extra")
    run = bench(files, baselines=True)
    of_lists, of_likes = run.run("movielens", lists=True, likes=True)
    assert isinstance(of_lists, ListsResult)
    assert isinstance(of_likes, LikesResult)
    assert [one.name for one in of_lists.models][-6:] == [
        "ease", "ials_512", "item2vec on lists", "retrieval", "retrieval + LambdaMART", "two stages",
    ]  # fmt: skip
    assert [one.name for one in of_likes.models] == [
        "item rate", "user and item rate", "user and item bias", "MLP on averages", "Gaussian process", "LightGBM",
        "two stages",
    ]  # fmt: skip
    by_name = {one.name: one.metrics["recall@20"].mean for one in of_lists.models}
    assert min(by_name["ease"], by_name["two stages"]) > by_name["popularity"]
    auc = {one.name: one.metrics["auc"].mean for one in of_likes.models}
    assert min(auc["two stages"], auc["Gaussian process"], auc["LightGBM"]) > auc["user and item bias"] + 0.1
    assert run.skipped == []
    assert [fit.model for fit in run.fits] == [
        "two stages", "ease", "ials_512", "item2vec on lists", "retrieval + LambdaMART",
        "user and item bias", "MLP on averages", "Gaussian process", "LightGBM",
    ]  # fmt: skip
    assert not [group for one in of_lists.models for group in one.groups if group.kind == "franchise"]


def test_the_product_alone(files: Path) -> None:
    run = bench(files, baselines=False)
    (found,) = run.run("movielens", lists=False, likes=True)
    assert isinstance(found, LikesResult)
    assert [one.name for one in found.models] == ["item rate", "user and item rate", "two stages"]
    assert [fit.model for fit in run.fits] == ["two stages"]


def test_a_protocol_of_the_other_task_is_not_run(files: Path) -> None:
    run = bench(files, baselines=False)
    assert list(run.run("A", lists=False, likes=True)) == []
    assert list(run.run("random", lists=True, likes=False)) == []


def test_a_split_that_leaks_stops_the_bench(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gars.evaluation.protocols.like_training", lambda rows, _split: rows)
    with pytest.raises(InvalidInputError, match="held-out rows were seen by the training rows"):
        list(bench(files, baselines=False).run("movielens", lists=True, likes=True))
