"""Nearest titles among 200,000: how long, and how many of the true nearest are found.

    gars data build && gars train --home var && python benchmarks/nearest.py --home var

The vectors are those of the model's titles, each many times over with a little noise; the queries are the tastes of
users of the data set.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from gars import Recommender
from gars.domain.normalise import unit_rows
from gars.library.blas import one_thread
from gars.retrieval.index import ExactIndex, Index, LshIndex

K = 200
NOISE = 0.05


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the promoted model")
    options.add_argument("--titles", type=int, default=200_000)
    options.add_argument("--queries", type=int, default=300)
    args = options.parse_args()
    model = Recommender.load(args.home / "models" / "current")
    known = model.engine.retriever.vectors
    known = known[known.any(axis=1)]
    rng = np.random.default_rng(0)
    copies = known[rng.integers(0, len(known), args.titles)]
    vectors = unit_rows((copies + NOISE * rng.standard_normal(copies.shape)).astype(np.float32))
    queries = np.stack([taste(model, user) for user in model.user_ids.tolist()[: args.queries]])
    print(f"| index of {args.titles:,} | p50 ms | p99 | recall@{K} |\n|---|---|---|---|")
    with one_thread():
        exact = ExactIndex(vectors)
        truth = [exact.search(query, K)[0] for query in queries]
        hashed = LshIndex.build(vectors, seed=0)
        report("exact", exact, queries, truth)
        for rerank in (500, 1_000, 2_000, 4_000):
            report(f"LSH of 512 bits, {rerank:,} in exact order", replace(hashed, rerank=rerank), queries, truth)


def taste(model: Recommender, user: int | str) -> np.ndarray:
    """The direction of a user's list. → (dim,)"""
    rows, weights = model.engine.query(model.read_history(None, user))
    return np.asarray(unit_rows((weights @ model.engine.retriever.vectors[rows])[None])[0])


def report(name: str, index: Index, queries: np.ndarray, truth: list[np.ndarray]) -> None:
    """Print one row."""
    milliseconds, found = [], []
    for query, expected in zip(queries, truth, strict=True):
        started = time.perf_counter()
        nearest, _ = index.search(query, K)
        milliseconds.append((time.perf_counter() - started) * 1e3)
        found.append(len(np.intersect1d(nearest, expected)) / len(expected))
    p50, p99 = np.percentile(milliseconds, [50, 99])
    print(f"| {name} | {p50:.1f} | {p99:.1f} | {np.mean(found):.3f} |", flush=True)


if __name__ == "__main__":
    main()
