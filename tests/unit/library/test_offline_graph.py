"""Training on an item graph that was made elsewhere: the same model for the same graph, and refused for another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from typer.testing import CliRunner

from gars import Recommender
from gars.datasets.dataset import Dataset
from gars.domain.errors import DataError
from gars.entrypoints.cli.app import app as cli
from gars.library.fitting import FitHooks
from gars.library.frames import rows_of
from gars.library.offline import ABOUT, GRAPH, ITEM_IDS, Made, Plan, read_graph
from gars.library.recommender import fit_with
from gars.library.registry import Registry
from gars.ranking.examples import RankingLists
from gars.retrieval import graph, item_knn, matrix
from gars_test_support.datasets import tiny_dataset
from gars_test_support.world import SMALL, small_world

MIN_COUNT = SMALL.retrieval.min_count


def offline(
    folder: Path, interactions: pl.DataFrame, *, min_count: int = MIN_COUNT, power: float = 3, data: str = ""
) -> Path:
    """What Spark makes of all of them, made here: ``tests/spark`` shows that both are the same."""
    rows = rows_of(interactions, ())
    all_lists = matrix.from_rows(
        rows.user, rows.item, rows.rating, n_users=len(rows.user_ids), n_items=len(rows.item_ids)
    )
    viewers = np.bincount(all_lists.graded().indices, minlength=all_lists.n_items)
    edges = graph.build(item_knn.cosine(all_lists.of_items(np.flatnonzero(viewers >= min_count))), power=power)
    folder.mkdir()
    sp.save_npz(folder / GRAPH, edges)
    np.save(folder / ITEM_IDS, rows.item_ids)
    counted = {"rows": len(rows.user), "users": len(rows.user_ids), "items": len(rows.item_ids), "edges": edges.nnz}
    made = Made(plan=Plan(min_count=min_count), **counted, seconds={}, data=data)
    (folder / ABOUT).write_bytes(msgspec.json.encode(made))
    return folder


def fit(folder: Path | None) -> tuple[Recommender, RankingLists]:
    interactions, catalogue = small_world()
    lists: list[RankingLists] = []
    graph = None if folder is None else read_graph(folder, content_hash="any")
    made = fit_with(FitHooks(on_lists=lists.append, graph=graph), interactions, catalogue, config=SMALL)
    return made, lists[0]


def test_the_same_graph_is_the_same_model_and_another_is_walked_on(tmp_path: Path) -> None:
    interactions, _ = small_world()
    built, lists = fit(None)
    loaded, same_lists = fit(offline(tmp_path / "same", interactions))
    np.testing.assert_array_equal(built.engine.retriever.vectors, loaded.engine.retriever.vectors)
    other, other_lists = fit(offline(tmp_path / "other", interactions, power=0.5))
    assert not np.array_equal(built.engine.retriever.vectors, other.engine.retriever.vectors)
    # the ranker's lists come from models that have not seen their users: this graph has
    for one in (same_lists, other_lists):
        np.testing.assert_array_equal(one.features, lists.features)


def test_a_graph_of_other_lists_is_refused(tmp_path: Path) -> None:
    interactions, _ = small_world()
    item = pl.col("item_id")
    for name, made_of, message in (
        (
            "foreign",
            interactions.with_columns(item + 1000),
            "60 title(s) in the graph are not in the data set, such as 1100",
        ),
        ("less", interactions.filter(item > 101), "2 title(s) of the data set are not in the graph, such as 100, 101"),
    ):
        with pytest.raises(DataError) as caught:
            fit(offline(tmp_path / name, made_of))
        assert message in caught.value.message
        assert "gars offline spark --data NAME" in (caught.value.hint or "")
    with pytest.raises(DataError, match="has edges from 7 lists on, and this training's min_count is 2"):
        fit(offline(tmp_path / "rarer", interactions, min_count=7))


def _unlink(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _shorter_ids(folder: Path) -> None:
    np.save(folder / ITEM_IDS, np.load(folder / ITEM_IDS)[1:])


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_unlink(ABOUT), "there is no offline.json in"),
        (_unlink(GRAPH), "cannot be read: "),
        (_shorter_ids, "cannot be read: its files are not of one run"),
        (lambda folder: (folder / GRAPH).write_bytes(b"half"), "cannot be read: "),
        (lambda folder: (folder / ABOUT).write_bytes(b"{}"), "cannot be read: "),
    ],
)
def test_a_damaged_folder(break_it: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    folder = offline(tmp_path / "offline", small_world()[0])
    break_it(folder)
    with pytest.raises(DataError) as caught:
        read_graph(folder, content_hash="any")
    assert message in caught.value.message
    assert "gars offline spark" in (caught.value.hint or "")


def test_the_command(tmp_path: Path) -> None:
    dataset: Dataset = tiny_dataset(tmp_path)
    lists = dataset.interactions().select("user_id", item_id="anime_id", rating="rating").collect()
    folder = offline(tmp_path / "offline", lists, min_count=5, data=dataset.content_hash)
    words = ["train", "--quick", "--no-log", "--home", str(tmp_path), "--offline", str(folder)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, (done.output, done.exception)
    (manifest,) = Registry(tmp_path / "models").versions()
    assert manifest.data["offline"]["data"] == dataset.content_hash
    assert len(manifest.data["offline"]["graph"]) == 64
    other = offline(tmp_path / "of-another", lists, min_count=5, data="0123456789abcdef")
    refused = CliRunner().invoke(cli, [*words[:-1], str(other)]).exception
    assert isinstance(refused, DataError)
    assert f"was made of the data set 0123456789ab, and this is {dataset.content_hash[:12]}" in refused.message
