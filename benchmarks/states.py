"""How much disk and memory the states of many users take at rest, and how fast they are written and read.

    gars data build && python benchmarks/states.py --home var               # a million users
    python benchmarks/states.py --home var --users 100000

The lists are those of the data set's users, each given to many invented users in turn, so the lengths are real ones.
They are read in random order by a new process; the memory is what it grew by, 5,000 states that it keeps included.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np

from gars.adapters.embedded.state_store import SqliteStateStore
from gars.datasets.histories import histories
from gars.domain import user_state
from gars.entrypoints.cli.datasets_here import open_named_or_newest
from gars.library.malloc import resident_mb, trim_freed_memory

GROUP = 2_000
READ = 10_000
KEPT = 5_000
"""States that a service keeps in memory (``GARS_STATE_CACHE``)."""


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set")
    options.add_argument("--users", type=int, default=1_000_000)
    args = options.parse_args()
    dataset = open_named_or_newest(args.home, None)
    real = [user_state.initial(user_id, rows) for user_id, rows in histories(dataset)]
    titles = np.array([len(state.opinions) for state in real])
    print(f"{len(real):,} lists, {titles.mean():.0f} titles in the mean, {np.median(titles):.0f} at the median")
    with tempfile.TemporaryDirectory() as here:
        path = Path(here) / "states.sqlite"
        store = SqliteStateStore(path)
        started = time.perf_counter()
        invented = (
            msgspec.structs.replace(real[number % len(real)], user_id=f"user-{number}") for number in range(args.users)
        )
        while group := list(islice(invented, GROUP)):
            store.put(group)
        written = time.perf_counter() - started
        store.close()
        size = sum(file.stat().st_size for file in Path(here).iterdir())
        encoded = np.mean([len(user_state.encode(state)) for state in real])
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            microseconds, grown = alone.submit(read, path, args.users).result()
        print(
            "| users | titles each | MB on disk | bytes a user | as MessagePack | written/s | read µs | MB in memory |"
        )
        print("|---|---|---|---|---|---|---|---|")
        print(
            f"| {args.users:,} | {titles.mean():.0f} | {size / 1e6:,.0f} | {size / args.users:,.0f} | {encoded:,.0f} "
            f"| {args.users / written:,.0f} | {microseconds:,.0f} | {grown:,.0f} |"
        )


def read(path: Path, users: int) -> tuple[float, float]:
    """Read states in random order. → microseconds a state, MB that the memory grew by"""
    drawn = np.random.default_rng(0).integers(0, users, READ).tolist()
    before = resident_mb() or 0
    store = SqliteStateStore(path, cache_size=KEPT)
    started = time.perf_counter()
    for number in drawn:
        store.get(f"user-{number}")
    spent = time.perf_counter() - started
    trim_freed_memory()
    grown = (resident_mb() or 0) - before
    store.close()
    return spent / READ * 1e6, grown


if __name__ == "__main__":
    main()
