"""One run over a data set: graph, walks, vectors, factors and feature tables, in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import scipy.sparse as sp
from pyspark.sql import SparkSession

from gars.application.progress import Progress
from gars.datasets.durable import whole_folder
from gars.entrypoints.offline import embeddings, factors, feature_tables, item_graph, user_lists

T = TypeVar("T")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run makes, and into how many pieces the work is cut. The defaults are those of ``gars train``."""

    seed: int = 0
    pieces: int = 8
    """Of users and of start nodes: several for each core."""
    min_count: int = 5
    """An item on fewer lists has no edges."""
    walks_per_node: int = 20
    walk_length: int = 20
    dim: int = 128
    epochs: int = 3
    factors: int = 64
    """Size of the iALS factors; 0 leaves them out."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """``offline.json``: what was made of what, and how long each stage took."""

    plan: Plan
    rows: int
    users: int
    items: int
    edges: int
    seconds: dict[str, float]


def run(spark: SparkSession, files: list[Path], target: Path, plan: Plan, progress: Progress) -> Made:
    """Write ``graph.npz``, ``vectors.npy``, ``factors.npy``, ``item_ids.npy``, ``items.parquet``, ``users.parquet``
    and ``offline.json`` to a folder, which is there whole or not at all.

    Raises:
        DataError: there are no interactions.
    """
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        with progress.task(name):
            made = work()
        seconds[name] = round(time.perf_counter() - started, 2)
        return made

    frame = user_lists.read(spark, files, pieces=plan.pieces)
    lists = timed("lists", lambda: user_lists.gather(frame))
    n = len(lists.item_ids)
    with whole_folder(target) as folder:
        np.save(folder / "item_ids.npy", lists.item_ids)
        edges = timed("graph", lambda: item_graph.build(lists, min_count=plan.min_count))
        sp.save_npz(folder / "graph.npz", edges)
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
        made = Made(plan=plan, rows=lists.rows, users=lists.n_users, items=n, edges=int(edges.nnz), seconds=seconds)
        (folder / "offline.json").write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    lists.pieces.unpersist()
    return made
