"""How a service starts whose state store is lost: time until it serves, lists during the rebuild, time until its end.

    gars data build && gars train --home var
    python benchmarks/rebuild.py --home var                      # a million events of 5,000 users
    python benchmarks/rebuild.py --home var --events 200000

One client asks for lists of random users, 20 ms after each answer. Each answer must be of a state with every event of
its user: it has the version that the log gives, or the run fails.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np

from gars import Recommender
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.domain.interaction import Interaction, Kind, Status
from gars.evaluation.report.machine import commit, machine
from gars_test_support.server import ServerProcess, serve_command, stores_in

KINDS = ((Kind.RATE, 8), (Kind.CLICK, None), (Kind.LIKE, None), (Kind.STATUS, Status.COMPLETED))
BATCH = 5_000
PAUSE_S = 0.02


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the promoted model")
    options.add_argument("--events", type=int, default=1_000_000)
    options.add_argument("--users", type=int, default=5_000)
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = fill(Path(folder) / "event_log.sqlite", args.home, args.users, args.events)
        started = time.perf_counter()
        environment = {**stores_in(folder), "GARS_RATE_PER_S": "0"}
        server = ServerProcess(serve_command(args.home), environment=environment, ready_within_s=600)
        try:
            ready_s = time.perf_counter() - started
            took_ms, rebuilt_s = lists_until_rebuilt(server.address, counts)
        finally:
            server.stop()
    here = machine()
    p50, p99 = np.percentile(took_ms, [50, 99])
    print(f"{args.events:,} events of {args.users:,} users, {here.cores} cores of {here.cpu}, commit {commit()}")
    print("| ready after | rebuilt after that | lists during it | p50 ms | p99 | slowest |\n|---|---|---|---|---|---|")
    print(f"| {ready_s:.1f} s | {rebuilt_s:.0f} s | {len(took_ms):,} | {p50:.1f} | {p99:.1f} | {max(took_ms):.0f} |")


def fill(path: Path, home: Path, users: int, events: int) -> np.ndarray:
    """Write a log of random events of the last day. → the number of each user's events"""
    rng = np.random.default_rng(0)
    anime = Recommender.load(home / "models" / "current").engine.retriever.items.anime_ids
    names = [f"user-{number}" for number in range(users)]
    who, what = rng.integers(0, users, events), rng.choice(anime, events)
    first = datetime.now(UTC) - timedelta(days=1)
    log = SqliteEventLog(path)
    for start in range(0, events, BATCH):
        log.append(
            [
                Interaction(
                    event_id=f"{number:032x}",
                    user_id=names[who[number]],
                    anime_id=int(what[number]),
                    kind=KINDS[number % len(KINDS)][0],
                    value=KINDS[number % len(KINDS)][1],
                    event_time=(at := first + timedelta(milliseconds=60 * number)),
                    accepted_ms=round(at.timestamp() * 1000),
                )
                for number in range(start, min(start + BATCH, events))
            ]
        )
    log.close()
    return np.bincount(who, minlength=users)


def lists_until_rebuilt(address: str, counts: np.ndarray) -> tuple[list[float], float]:
    """Ask for lists until the service has rebuilt the states. → milliseconds of each, seconds until then"""
    rng = np.random.default_rng(1)
    took_ms: list[float] = []
    started = time.perf_counter()
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as http:
        while len(took_ms) % 20 or "state" in http.get("/health/ready").json()["warnings"]:
            number = int(rng.integers(len(counts)))
            begun = time.perf_counter()
            body = http.get(f"/users/user-{number}/recommendations", params={"k": 20}).raise_for_status().json()
            took_ms.append((time.perf_counter() - begun) * 1e3)
            if body["version"] != counts[number]:
                raise SystemExit(f"user-{number} has {counts[number]} events; the list is of version {body['version']}")
            time.sleep(PAUSE_S)
    return took_ms, time.perf_counter() - started


if __name__ == "__main__":
    main()
