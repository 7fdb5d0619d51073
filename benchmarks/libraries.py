"""Other libraries on the same split, the same machine and by the same protocol as ``foreign.py``.

    python benchmarks/libraries.py --data gowalla

Each model is one of ``implicit``, with its defaults or common settings; nothing is tuned on test rows.
All items but the user's training items are ranked. Prints R@20, N@20 with intervals over users, fit seconds, peak
memory and users a second for 100 items each.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from foreign import CUT, Data, load, mirror, row_of
from gars.evaluation.report.machine import commit, machine

LENGTH = 100
AT_A_TIME = 1000


def models() -> dict[str, Callable[[], Any]]:
    """Models by name; made in the process that fits them."""
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender

    return {
        "implicit, ALS, defaults (100 factors)": AlternatingLeastSquares,
        "implicit, ALS, 200 factors, alpha 10, regularisation 1": lambda: AlternatingLeastSquares(
            factors=200, alpha=10.0, regularization=1.0
        ),
        "implicit, item-kNN, cosine, 200 neighbours": lambda: CosineRecommender(K=200),
        "implicit, item-kNN, BM25, 200 neighbours": lambda: BM25Recommender(K=200, B=0.2),
    }


def measure(name: str, data: Data, seed: int) -> None:
    """Fit one model and print its row; in a process of its own, so that the peak of memory is its own."""
    known_users, user = np.unique(data.training["user_id"].to_numpy(), return_inverse=True)
    known_items, item = np.unique(data.training["item_id"].to_numpy(), return_inverse=True)
    lists = sp.csr_matrix((np.ones(len(user), np.float32), (user, item)), (len(known_users), len(known_items)))
    model = models()[name]()
    started = time.perf_counter()
    model.fit(lists, show_progress=False)
    fit_seconds = time.perf_counter() - started
    users = np.array(sorted(data.targets), np.int64)
    rows = np.searchsorted(known_users, users)
    found: list[NDArray[np.int64]] = []
    started = time.perf_counter()
    for start in range(0, len(rows), AT_A_TIME):
        some = rows[start : start + AT_A_TIME]
        ids, _ = model.recommend(some, lists[some], N=LENGTH, filter_already_liked_items=True)
        found.append(np.where(ids >= 0, known_items[ids], -1))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    cells = row_of(name, np.vstack(found)[:, :CUT].astype(np.int64), users, data, seed)
    print(f"{cells} {fit_seconds:.0f} | {peak:.1f} | {len(users) / seconds:,.0f} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", default="gowalla")
    options.add_argument("--mirror", type=Path, default=mirror())
    options.add_argument("--home", type=Path, default=Path("var"))
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    data, here = load(given.data, given.mirror, given.home, given.seed), machine()
    print(f"`python benchmarks/libraries.py --data {Path(given.data).name}`, {here.cores} cores of {here.cpu},")
    print(f"load {os.getloadavg()[0]:.0f}, implicit {here.libraries.get('implicit')}, commit {commit()}.\n")
    print(
        f"| model | users | R@{CUT} | N@{CUT} | fit, s | peak, GB | users/s |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    for name in models():
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name, data, given.seed))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
