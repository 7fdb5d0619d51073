"""One run over a data set: item graph and feature tables, in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import scipy.sparse as sp
from pyspark.sql import DataFrame

from gars.datasets.durable import whole_folder
from gars.datasets.ownership import refuse_foreign_folder
from gars.library.offline import ABOUT, GRAPH, ITEM_IDS, Made, Plan, written_names
from gars.runtime.progress import Progress
from gars.spark import feature_tables, item_graph, user_lists

T = TypeVar("T")


def run(frame: DataFrame, target: Path, plan: Plan, progress: Progress, *, data: str = "") -> Made:
    """Make graph and tables of ``user_id, anime_id, rating``, each user in one partition; ``data`` is their hash.

    Writes ``graph.npz``, ``item_ids.npy``, ``items.parquet``, ``users.parquet`` and ``offline.json`` to a folder, which
    is there whole or not at all.

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
        timed("feature tables", lambda: feature_tables.write(frame, folder))
        counted = {"rows": lists.rows, "users": lists.n_users, "items": n, "edges": int(edges.nnz)}
        made = Made(plan=plan, **counted, seconds=seconds, data=data)
        (folder / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    lists.pieces.unpersist()
    return made
