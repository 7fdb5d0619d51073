"""How `gars offline spark` grows with the interactions: seconds and shuffled bytes of what users say.

    python benchmarks/spark_scaling.py --millions 1 10 --master 'local[2]'

Simulated users of 100 titles out of 10,000, famous ones more often. Measured is what grows with users: their lists, the
item graph, the feature tables.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
from pyspark.sql import SparkSession

from gars.spark import feature_tables, item_graph, user_lists
from gars.spark.session import session

T = TypeVar("T")

TITLES, LENGTH = 10_000, 100
USERS_A_FILE = 50_000


def simulate(folder: Path, rows: int) -> list[Path]:
    """Interactions as Parquet."""
    rng = np.random.default_rng(0)
    fame = 1 / np.arange(1, TITLES + 1) ** 0.7
    edges = np.cumsum(fame) / fame.sum()
    files = []
    for first in range(0, rows // LENGTH, USERS_A_FILE):
        users = min(USERS_A_FILE, rows // LENGTH - first)
        frame = pl.DataFrame(
            {
                "user_id": np.repeat(np.arange(first, first + users), LENGTH),
                "anime_id": np.searchsorted(edges, rng.random(users * LENGTH)).clip(max=TITLES - 1),
                "rating": rng.integers(1, 11, users * LENGTH).astype(np.int8),
            }
        ).unique(["user_id", "anime_id"])
        files.append(folder / f"part-{first}.parquet")
        frame.write_parquet(files[-1])
    return files


def shuffled(spark: SparkSession) -> int:
    """Bytes that all stages so far have written for others."""
    store: Any = spark.sparkContext._jsc.sc().statusStore()
    quantiles = spark.sparkContext._gateway.new_array(spark.sparkContext._jvm.double, 0)  # type: ignore[union-attr]
    stages = store.stageList(None, False, False, quantiles, None)
    return sum(int(stages.apply(number).shuffleWriteBytes()) for number in range(stages.size()))


def timed(spark: SparkSession, millions: float, stage: str, work: Callable[[], T]) -> T:
    """Run a stage and print its row."""
    before, began = shuffled(spark), time.perf_counter()
    made = work()
    seconds, moved = time.perf_counter() - began, (shuffled(spark) - before) / 1e6
    print(f"| {millions:g}M | {stage} | {seconds:.1f} | {moved:.1f} |", flush=True)
    return made


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--millions", type=float, nargs="+", default=[1, 10])
    options.add_argument("--master", default="local[2]")
    options.add_argument("--pieces", type=int, default=8)
    options.add_argument("--memory", default="4g")
    args = options.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, --master {args.master} --pieces {args.pieces}")
    print("| rows | stage | s | shuffled MB |\n|---|---|---|---|")
    for millions in args.millions:
        with tempfile.TemporaryDirectory() as name, session(args.master, memory=args.memory) as spark:
            files = simulate(Path(name), int(millions * 1e6))
            frame = user_lists.read(spark, files, pieces=args.pieces)

            lists = timed(spark, millions, "lists", partial(user_lists.gather, frame))
            edges = timed(spark, millions, "item graph", partial(item_graph.build, lists, min_count=5))
            timed(spark, millions, "feature tables", partial(feature_tables.write, frame, Path(name)))
            print(f"| {millions:g}M | {edges.nnz:,} edges | | |", flush=True)


if __name__ == "__main__":
    main()
