"""One run over a data set: graph, walks, vectors, factors and feature tables, in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import scipy.sparse as sp
from pyspark.sql import DataFrame, SparkSession

from gars.datasets.durable import whole_folder
from gars.datasets.ownership import refuse_foreign_folder
from gars.library.offline import ABOUT, GRAPH, ITEM_IDS, Made, Plan, written_names
from gars.runtime.progress import Progress
from gars.spark import embeddings, factors, feature_tables, item_graph, user_lists

T = TypeVar("T")


def run(spark: SparkSession, frame: DataFrame, target: Path, plan: Plan, progress: Progress, *, data: str = "") -> Made:
    """Make everything of ``user_id, anime_id, rating``, each user in one partition; ``data`` is their data set's hash.

    Writes ``graph.npz``, ``vectors.npy``, ``factors.npy``, ``item_ids.npy``, ``items.parquet``, ``users.parquet`` and
    ``offline.json`` to a folder, which is there whole or not at all.

    Raises:
        DataError: there are no interactions.
        InvalidInputError: ``target`` holds anything else than an earlier run.
    """
    refuse_foreign_folder(target, written_names)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        with progress.task(name):
            made = work()
        seconds[name] = round(time.perf_counter() - started, 2)
        return made

    lists = timed("lists", lambda: user_lists.gather(frame))
    n = len(lists.item_ids)
    with whole_folder(target, written_names=written_names) as folder:
        np.save(folder / ITEM_IDS, lists.item_ids)
        edges = timed("graph", lambda: item_graph.build(lists, min_count=plan.min_count))
        sp.save_npz(folder / GRAPH, edges)
        paths = embeddings.walks(
            spark, edges, seed=plan.seed, per_node=plan.walks_per_node, length=plan.walk_length, pieces=plan.pieces
        )
        learned = timed(
            "walks and vectors",
            lambda: embeddings.vectors(spark, paths, n, seed=plan.seed, dim=plan.dim, epochs=plan.epochs),
        )
        np.save(folder / "vectors.npy", learned)
        if plan.factors:
            fitted = timed(
                "factors",
                lambda: factors.fit(spark, lists, dim=plan.factors, seed=plan.seed, blocks=plan.pieces),
            )
            np.save(folder / "factors.npy", fitted.items)
        timed("feature tables", lambda: feature_tables.write(frame, folder))
        counted = {"rows": lists.rows, "users": lists.n_users, "items": n, "edges": int(edges.nnz)}
        made = Made(plan=plan, **counted, seconds=seconds, data=data)
        (folder / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    lists.pieces.unpersist()
    return made
