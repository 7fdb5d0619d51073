"""Spark's jobs against the embedded trainers, on some users of a small data set.

Compared: the item graph, edge by edge, and every number of the feature tables.

Run apart from the other engines' tests (``make test-cluster``): Spark's client forks, which JAX warns of.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from pyspark.sql import SparkSession

from gars.config import from_environment
from gars.domain.errors import DataError
from gars.entrypoints.cli import offline
from gars.library.offline import Plan, read_graph
from gars.retrieval import graph, item_knn
from gars.retrieval.matrix import TrainingMatrix, from_rows
from gars.runtime.progress import Silent
from gars.spark import feature_tables, item_graph, run, user_lists
from gars.spark.session import session
from gars.stack.engine import StackError
from gars_test_support.datasets import tiny_dataset

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MIN_COUNT = 5
SEED = 0


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with session("local[2]", memory="1g") as running:
        yield running


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Users with tastes: titles in groups of 20, seven of ten from the user's own group."""
    rng = np.random.default_rng(SEED)
    found = []
    for user in range(600):
        own = 20 * (user % 10) + rng.permutation(20)[:14]
        other = rng.permutation(200)[:6]
        for anime in np.unique(np.concatenate([own, other])).tolist():
            rating = int(rng.integers(3, 11)) if rng.random() < 0.7 else None
            found.append((user, 1000 + 3 * anime, rating))
    schema = {"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}
    return pl.DataFrame(found, schema=schema, orient="row")


@pytest.fixture(scope="module")
def files(rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("interactions")
    paths = [folder / f"part-{number}.parquet" for number in range(2)]
    for number, path in enumerate(paths):
        rows.filter(pl.col("user_id") % 2 == number).write_parquet(path)
    return paths


@pytest.fixture(scope="module")
def lists(spark: SparkSession, files: list[Path]) -> user_lists.UserLists:
    return user_lists.gather(user_lists.read(spark, files, pieces=5))


@pytest.fixture(scope="module")
def embedded(rows: pl.DataFrame) -> TrainingMatrix:
    items, item = np.unique(rows["anime_id"].to_numpy(), return_inverse=True)
    rating = rows["rating"].cast(pl.Float32).fill_null(np.nan).to_numpy()
    return from_rows(rows["user_id"].to_numpy(), item, rating, n_users=600, n_items=len(items))


@pytest.fixture(scope="module")
def embedded_graph(embedded: TrainingMatrix) -> sp.csr_array:
    viewers = np.bincount(embedded.graded().indices, minlength=embedded.n_items)
    return graph.build(item_knn.cosine(embedded.of_items(np.flatnonzero(viewers >= MIN_COUNT))))


def test_lists(lists: user_lists.UserLists, rows: pl.DataFrame, embedded: TrainingMatrix) -> None:
    assert (lists.rows, lists.n_users) == (rows.height, 600)
    assert lists.item_ids.tolist() == sorted(rows["anime_id"].unique().to_list())
    assert lists.pieces.count() == 5
    np.testing.assert_array_equal(lists.viewers, np.bincount(embedded.graded().indices, minlength=embedded.n_items))


def test_the_same_graph(lists: user_lists.UserLists, embedded_graph: sp.csr_array) -> None:
    made = item_graph.build(lists, min_count=MIN_COUNT)
    assert made.nnz == embedded_graph.nnz > 5000
    np.testing.assert_array_equal(made.indptr, embedded_graph.indptr)
    np.testing.assert_array_equal(made.indices, embedded_graph.indices)
    np.testing.assert_allclose(made.data, embedded_graph.data, rtol=1e-4, atol=1e-6)


def test_a_single_user_in_several_pieces(spark: SparkSession, rows: pl.DataFrame, tmp_path: Path) -> None:
    rows.filter(pl.col("user_id") == 7).write_parquet(tmp_path / "part-0.parquet")
    alone = user_lists.gather(user_lists.read(spark, [tmp_path / "part-0.parquet"], pieces=8))
    made = item_graph.build(alone, min_count=1)
    liked = int((alone.viewers > 0).sum())
    assert made.nnz == liked * (liked - 1) > 0


def test_a_rare_title_has_no_edges(lists: user_lists.UserLists) -> None:
    least = int(np.sort(lists.viewers)[20])
    made = item_graph.build(lists, min_count=least + 1)
    rare = np.flatnonzero(lists.viewers <= least)
    assert len(rare)
    assert not np.diff(made.indptr)[rare].any()
    assert not np.isin(made.indices, rare).any()


def test_feature_tables_count(spark: SparkSession, files: list[Path], rows: pl.DataFrame) -> None:
    frame = user_lists.read(spark, files, pieces=3)
    rating = pl.col("rating")
    for table, key in ((feature_tables.items(frame), "anime_id"), (feature_tables.users(frame), "user_id")):
        made = {row[key]: tuple(row)[1:] for row in table.collect()}
        liked = (rating > 7).cast(pl.Float64).mean().alias("liked")
        counted = rows.group_by(key).agg(pl.len(), rating.count().alias("n"), rating.mean().alias("mean"), liked)
        assert {one[0]: pytest.approx(one[1:]) for one in counted.iter_rows()} == made


def test_a_run_is_one_whole_folder(spark: SparkSession, files: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "offline"
    frame = user_lists.read(spark, files, pieces=2)
    run.run(frame, folder, Plan(pieces=2), Silent(), data="abc")
    (folder / "vectors.npy").write_bytes(b"of an earlier version")
    made = run.run(frame, folder, Plan(pieces=2), Silent(), data="abc")
    assert {path.name for path in folder.iterdir()} == {
        "graph.npz", "item_ids.npy", "items.parquet", "offline.json", "users.parquet",
    }  # fmt: skip
    assert sp.load_npz(folder / "graph.npz").nnz == made.edges
    assert pl.read_parquet(folder / "items.parquet" / "*.parquet").height == made.items == 200
    for_training = read_graph(folder, content_hash="abc")
    assert (for_training.edges.nnz, len(for_training.item_ids), for_training.made) == (made.edges, 200, made)


def test_a_job_out_of_memory_fails_with_a_hint(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "stop", lambda: None)  # the tests after this one use it
    java = spark._jvm
    assert java is not None
    with pytest.raises(StackError, match="ran out of memory") as caught, session("local[2]", memory="1g"):
        java.java.util.ArrayList(2_000_000_000)
    assert "--memory" in (caught.value.hint or "")
    with pytest.raises(StackError, match="ran out of memory") as caught, session("local[2]", memory="1g"):
        spark.sparkContext.parallelize([1]).map(lambda _: bytearray(1 << 60)).count()
    assert "fewer cores" in (caught.value.hint or "")
    with pytest.raises(StackError, match="ended unexpectedly"), session("local[2]", memory="1g"):
        spark.sparkContext.parallelize([1]).map(lambda _: os._exit(1)).count()


def test_the_newest_data_set_is_read_where_none_is_named(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    found, _ = offline._data_set(from_environment({}, home=dataset.path.parents[1]), None)
    assert found == dataset.content_hash
    by_folder, _ = offline._data_set(from_environment({}, home=tmp_path / "elsewhere"), str(dataset.path))
    assert by_folder == dataset.content_hash


def test_without_interactions(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no interactions"):
        user_lists.read(spark, [], pieces=2)
    empty = tmp_path / "part-0.parquet"
    pl.DataFrame(schema={"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}).write_parquet(empty)
    with pytest.raises(DataError, match="no interactions"):
        user_lists.gather(user_lists.read(spark, [empty], pieces=2))
