"""Spark's jobs against the embedded trainers, on some users of a small data set.

Compared: the item graph, edge by edge; walks by how often they take each edge; vectors and factors by who is near
whom. Not compared: the numbers of vectors and factors, which two trainers never share.

Run apart from the other engines' tests (``make test-cluster``): Spark's client forks, which JAX warns of, and its
parameter classes break once Twisted has been imported, as ``zope.interface`` then marks ``typing.Generic``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from gars.domain.errors import DataError
from gars.domain.normalise import unit_rows
from gars.library.blas import one_thread
from gars.library.offline import Plan, read_graph
from gars.retrieval import deepwalk, graph, ials, item2vec, item_knn
from gars.retrieval.matrix import TrainingMatrix, from_rows
from gars.runtime.progress import Silent
from gars.spark import embeddings, factors, feature_tables, item_graph, run, user_lists
from gars.spark.session import session

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


def test_a_rare_title_has_no_edges(lists: user_lists.UserLists) -> None:
    least = int(np.sort(lists.viewers)[20])
    made = item_graph.build(lists, min_count=least + 1)
    rare = np.flatnonzero(lists.viewers <= least)
    assert len(rare)
    assert not np.diff(made.indptr)[rare].any()
    assert not np.isin(made.indices, rare).any()


def transitions(paths: NDArray[np.int32], n: int) -> NDArray[np.float64]:
    """How often each edge was taken, of all the times its start was left. → (n, n)"""
    counts = np.zeros((n, n))
    np.add.at(counts, (paths[:, :-1].ravel(), paths[:, 1:].ravel()), 1)
    return np.asarray(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), np.float64)


def test_walks_take_edges_as_often(spark: SparkSession, embedded_graph: sp.csr_array) -> None:
    n, per_node, length = embedded_graph.shape[0], 60, 20
    made = np.concatenate(
        embeddings.walks(spark, embedded_graph, seed=SEED, per_node=per_node, length=length, pieces=4).collect()
    )
    alone = deepwalk.walks(embedded_graph, np.random.default_rng(SEED), per_node=per_node, length=length)
    assert made.shape == alone.shape
    np.testing.assert_array_equal(np.bincount(made[:, 0], minlength=n), np.bincount(alone[:, 0], minlength=n))
    dense = embedded_graph.toarray()
    expected = dense / dense.sum(axis=1, keepdims=True)
    for paths in (made, alone):
        assert not transitions(paths, n)[dense == 0].any()
        assert np.abs(transitions(paths, n) - expected).sum(axis=1).mean() < 0.25
    again = embeddings.walks(spark, embedded_graph, seed=SEED, per_node=per_node, length=length, pieces=4).collect()
    np.testing.assert_array_equal(np.concatenate(again), made)


def in_own_group(likeness: NDArray[np.float32]) -> float:
    """Of the ten most alike to each title, the share in its group of 20."""
    np.fill_diagonal(likeness, -np.inf)
    near = np.argsort(-likeness, axis=1)[:, :10]
    return float((near // 20 == np.arange(len(likeness))[:, None] // 20).mean())


def test_vectors_find_the_same_groups(spark: SparkSession, embedded_graph: sp.csr_array) -> None:
    n = embedded_graph.shape[0]
    paths = embeddings.walks(spark, embedded_graph, seed=SEED, per_node=20, length=20, pieces=2)
    made = unit_rows(embeddings.vectors(spark, paths, n, seed=SEED, dim=32, epochs=3))
    alone = unit_rows(item2vec.fit(np.concatenate(paths.collect()), n, SEED, dim=32, epochs=3).input)
    assert in_own_group(alone @ alone.T) > 0.9
    assert in_own_group(made @ made.T) > 0.9


def test_factors_make_the_same_lists(
    spark: SparkSession, lists: user_lists.UserLists, embedded: TrainingMatrix
) -> None:
    made = factors.fit(spark, lists, dim=16, seed=SEED, blocks=2)
    with one_thread():
        alone, _ = ials.fit(embedded.graded(), dim=16, seed=SEED)
    shared = []
    for user in range(0, 600, 20):
        listed = embedded.graded()[[user]]
        tops = []
        for fitted in (made, alone):
            scores = fitted.items @ fitted.fold_in(listed.indices.astype(np.int64), listed.data)
            tops.append(set(np.argsort(-scores)[:20].tolist()))
        shared.append(len(tops[0] & tops[1]) / 20)
    assert np.mean(shared) > 0.8


def test_feature_tables_count(spark: SparkSession, files: list[Path], rows: pl.DataFrame) -> None:
    frame = user_lists.read(spark, files, pieces=3)
    rating = pl.col("rating")
    for table, key in ((feature_tables.items(frame), "anime_id"), (feature_tables.users(frame), "user_id")):
        made = {row[key]: tuple(row)[1:] for row in table.collect()}
        liked = (rating > 7).cast(pl.Float64).mean().alias("liked")
        counted = rows.group_by(key).agg(pl.len(), rating.count().alias("n"), rating.mean().alias("mean"), liked)
        assert {one[0]: pytest.approx(one[1:]) for one in counted.iter_rows()} == made


def test_a_run_is_one_whole_folder(spark: SparkSession, files: list[Path], tmp_path: Path) -> None:
    plan = Plan(pieces=2, walks_per_node=2, walk_length=5, dim=8, epochs=1, factors=4)
    made = run.run(spark, user_lists.read(spark, files, pieces=2), tmp_path / "offline", plan, Silent(), data="abc")
    assert {path.name for path in (tmp_path / "offline").iterdir()} == {
        "factors.npy", "graph.npz", "item_ids.npy", "items.parquet", "offline.json", "users.parquet", "vectors.npy",
    }  # fmt: skip
    assert sp.load_npz(tmp_path / "offline" / "graph.npz").nnz == made.edges
    assert pl.read_parquet(tmp_path / "offline" / "items.parquet" / "*.parquet").height == made.items == 200
    assert np.load(tmp_path / "offline" / "vectors.npy").shape == (200, 8)
    for_training = read_graph(tmp_path / "offline", content_hash="abc")
    assert (for_training.edges.nnz, len(for_training.item_ids), for_training.made) == (made.edges, 200, made)


def test_without_interactions(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no interactions"):
        user_lists.read(spark, [], pieces=2)
    empty = tmp_path / "part-0.parquet"
    pl.DataFrame(schema={"user_id": pl.Int64, "anime_id": pl.Int64, "rating": pl.Int8}).write_parquet(empty)
    with pytest.raises(DataError, match="no interactions"):
        user_lists.gather(user_lists.read(spark, [empty], pieces=2))
