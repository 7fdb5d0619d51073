"""Lists of many users at once by a saved model: users a second, processor time and memory, ids against one by one.

    python benchmarks/batch.py MODEL [--users 10000] [--k 100]

MODEL is the folder of a model (``Recommender.save``). Its training users are scored by ``recommend_users``, which reads
them from the model, and by ``recommend_batch``, which is given their histories as pairs. The ids of ``--checked`` users
are compared with those of ``recommend``.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gars import Recommender
from gars.evaluation.report.machine import commit, machine

Ids = NDArray[np.int64]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model", type=Path)
    options.add_argument("--users", type=int, default=10_000, help="users drawn by the seed")
    options.add_argument("--checked", type=int, default=200)
    options.add_argument("--k", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    fitted, here = Recommender.load(given.model), machine()
    drawn = np.random.default_rng(given.seed).permutation(len(fitted.user_ids))[: given.users]
    users = fitted.user_ids[np.sort(drawn)].tolist()
    histories = [fitted.history_of(user) for user in users]
    fitted.recommend_batch(histories[:256], given.k)  # compiled and warm
    print(f"`python benchmarks/batch.py MODEL --users {len(users)} --k {given.k}`, {here.cores} cores of {here.cpu},")
    print(f"load {os.getloadavg()[0]:.0f}, commit {commit()}; {len(fitted.item_ids):,} items, {len(users):,} users.\n")
    print("| | users/s | processor time a user, ms | peak, GB |\n|---|---|---|---|", flush=True)
    by_user = _row("recommend_users", lambda: np.vstack([ids for _, ids in fitted.recommend_users(users, given.k)]))
    by_history = _row("recommend_batch", lambda: fitted.recommend_batch(histories, given.k))
    wrong = int((by_user != by_history).any(axis=1).sum())
    items = fitted.item_ids
    for place in range(0, len(users), max(1, len(users) // given.checked)):
        alone = [one.anime_id for one in fitted.recommend(user_id=users[place], k=given.k)]
        ids = by_user[place][by_user[place] >= 0]
        wrong += (ids.tolist() if items.dtype.kind == "i" else items[ids].tolist()) != alone
    print(f"\n{wrong} lists differ between the two or from those of `recommend`.")


def _row(name: str, score: Callable[[], Ids]) -> Ids:
    started, used = time.perf_counter(), time.process_time()
    ids = score()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"| `{name}` | {len(ids) / seconds:,.0f} | {1000 * used / len(ids):.3f} | {peak:.1f} |", flush=True)
    return ids


if __name__ == "__main__":
    main()
