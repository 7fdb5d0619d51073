"""How much disk the states of many users take at rest, and how fast they are written and read.

    gars data build && python benchmarks/states.py --home var               # a million users
    python benchmarks/states.py --home var --users 100000

The lists are those of the data set's users, each given to many invented users in turn, so the lengths are real ones.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from gars.adapters.embedded.state_store import SqliteStateStore
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.domain import user_state

GROUP = 2_000


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set")
    options.add_argument("--users", type=int, default=1_000_000)
    args = options.parse_args()
    (folder,) = (args.home / "data").iterdir()
    real = [user_state.initial(user_id, rows) for user_id, rows in histories(Dataset.open(folder))]
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
        print(
            f"on disk    {size / 1e6:,.0f} MB, {size / args.users:,.0f} bytes a user, {encoded:,.0f} of them the state"
        )
        print(f"written    {args.users / written:,.0f} states a second")
        store = SqliteStateStore(path)
        drawn = np.random.default_rng(0).integers(0, args.users, 5_000).tolist()
        started = time.perf_counter()
        for number in drawn:
            store.get(f"user-{number}")
        print(f"read       {(time.perf_counter() - started) / len(drawn) * 1e6:,.0f} µs a state, in random order")
        store.close()


if __name__ == "__main__":
    main()
