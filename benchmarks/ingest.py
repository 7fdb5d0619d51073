"""How many events a second the service makes durable: batches of 100 posted by wrk, each acknowledged when on the disk.

    gars data build && gars train --home var
    python benchmarks/ingest.py --home var

Every event has an id of its own, is synced to the log, applied to its user's state and sent to listeners before the
202. At the end the events in the log are counted: as many as were acknowledged, or the run fails.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from gars import Recommender
from gars_test_support.server import ServerProcess, serve_command, stores_in
from wrk import load

BATCH = 100
USERS = 1_000, 5_000
"""Users who send in turn: as many, and then all. More than ``GARS_STATE_CACHE`` in turn read a state for each event."""


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--seconds", type=int, default=5, help="of each measurement")
    args = options.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("this needs wrk, from the distribution: apt-get install wrk")
    model = Recommender.load(args.home / "models" / "current")
    print("| users | connections | batches | failed | events/s | p50 ms | p95 | p99 | events per CPU-s of the server |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    known_users = [str(user) for user in model.user_ids.tolist()]
    for users in (*(known_users[:count] for count in USERS if count < len(known_users)), known_users):
        for connections in (1, 8):
            with tempfile.TemporaryDirectory() as folder:
                measure(args.home, model, users, Path(folder), connections, args.seconds)


def measure(home: Path, model: Recommender, users: list[str], folder: Path, connections: int, seconds: int) -> None:
    """Print one row."""
    (folder / "users").write_text("\n".join(users))
    known = model.engine.retriever.items.anime_ids.tolist()
    (folder / "anime").write_text("\n".join(str(anime_id) for anime_id in known))
    server = ServerProcess(serve_command(home), environment={**stores_in(folder), "GARS_RATE_PER_S": "0"})
    try:
        variables = {"GARS_USERS": str(folder / "users"), "GARS_ANIME": str(folder / "anime"), "GARS_RUN": "b"}
        done = load(server, "events.lua", connections=connections, seconds=seconds, variables=variables)
    finally:
        server.stop()
    with closing(sqlite3.connect(folder / "event_log.sqlite")) as log:
        (stored,) = log.execute("SELECT count(*) FROM events").fetchone()
    acknowledged = (done.requests - done.failed) * BATCH
    if not acknowledged <= stored <= acknowledged + connections * BATCH:
        raise SystemExit(f"{acknowledged:,} events were acknowledged, and {stored:,} are in the log")
    figures = " | ".join(f"{value:.1f}" for value in done.milliseconds)
    print(
        f"| {len(users):,} | {connections} | {done.requests:,} | {done.failed} | {acknowledged / done.seconds:,.0f} "
        f"| {figures} | {acknowledged / done.cpu_seconds:,.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
