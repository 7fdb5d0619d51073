"""What a user costs in Redis, and how fast states are written and read: a real server, states of a real data set.

    python benchmarks/redis_memory.py --data var/data/mal-2016-sample --users 20000

Starts a Redis of its own on a free port and removes it afterwards. Users beyond those of the data set are copies under
other names, with a few clicks each, so that every state is written as a live one.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from gars.adapters.redis.connection import connect
from gars.adapters.redis.state_store import RedisStateStore
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.domain import user_state
from gars.domain.user_state import UserState
from gars.evaluation.report.machine import commit, machine
from gars.runtime.free_ports import free_ports
from gars.stack.redis import Redis
from gars.stack.running import Running
from gars.testing.events import clicks

_CHUNK = 500
_CLICKS = 5
_READS = 2000


def live_states(dataset: Dataset, users: int) -> Iterator[UserState]:
    """States of real length: each a user's history and a few clicks."""
    known = [user_state.initial(name, rows) for name, rows in histories(dataset)]
    for number, state in enumerate(itertools.islice(itertools.cycle(known), users)):
        user_id = f"user-{number:08d}"
        renamed = msgspec.structs.replace(state, user_id=user_id)
        yield user_state.fold(renamed, clicks(_CLICKS, user_id=user_id))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a data set in the normal form")
    options.add_argument("--users", type=int, default=20_000)
    args = options.parse_args()
    dataset = Dataset.open(args.data)
    states = list(live_states(dataset, args.users))
    with tempfile.TemporaryDirectory() as folder:
        engine = Redis(folder=Path(folder), port=free_ports(1)[0])
        running = Running(engine)
        running.up()
        try:
            _measure(engine.url, states, dataset.manifest.name)
        finally:
            running.down()


def _measure(address: str, states: list[UserState], data: str) -> None:
    with closing(RedisStateStore(address)) as store, closing(connect(address)) as client:
        before = int(client.info("memory")["used_memory"])
        started = time.perf_counter()
        for chunk in _batched(states):
            store.put(chunk)
        written_s = time.perf_counter() - started
        each = (int(client.info("memory")["used_memory"]) - before) / len(states)
        single = _latencies(store, states)
        started = time.perf_counter()
        for chunk in _batched(states[:_READS]):
            store.get_many([state.user_id for state in chunk])
        together_s = time.perf_counter() - started
    sizes = [len(user_state.encode(state)) for state in states]
    titles = statistics.mean(len(state.opinions) for state in states)
    where = machine()
    print(f"{data}, {len(states):,} users, {titles:.0f} titles each; {where.cpu}, {where.cores} cores; {commit()}")
    print("| what | value |\n|---|---|")
    print(f"| a state's bytes | mean {statistics.mean(sizes):,.0f}, median {statistics.median(sizes):,.0f} |")
    print(f"| memory a user, keys and index included | {each:,.0f} bytes |")
    print(f"| memory a million users | {each * 1e6 / 2**30:.1f} GiB |")
    print(f"| written in groups of {_CHUNK} | {len(states) / written_s:,.0f} states/s |")
    print(f"| read one by one | median {single[0] * 1000:.2f} ms, 99 % {single[1] * 1000:.2f} ms |")
    print(f"| read in groups of {_CHUNK} | {_READS / together_s:,.0f} states/s |")


def _latencies(store: RedisStateStore, states: list[UserState]) -> tuple[float, float]:
    """Median and 99th percentile of one read, decoded, in seconds."""
    taken: list[float] = []
    for state in states[:_READS]:
        started = time.perf_counter()
        store.get(state.user_id)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def _batched(states: list[UserState]) -> Iterator[list[UserState]]:
    for start in range(0, len(states), _CHUNK):
        yield states[start : start + _CHUNK]


if __name__ == "__main__":
    main()
