"""How the service sheds load with a trained model: latency of the lists it made, and the share it refused with 503.

    python benchmarks/shedding.py --home var                 # the promoted model of a home
    python benchmarks/shedding.py                            # trains a quick model of the sample first, some minutes
    python benchmarks/shedding.py --home var --connections 32 256 --seconds 20 --queue-budget-ms 250

Each connection asks for the list of another user, again as soon as it is answered. "at once" takes no notice of
Retry-After, "waits" comes back after as many seconds as it says. Percentiles are those of the answers with 200, from
the moment the request was written; the lists are made anew (GARS_LIST_CACHE=0). The load generator is in Python and
runs on the same machine. A request without an answer, or with a status other than 200 and 503, fails the run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import wrk
from gars import Recommender
from gars_test_support.server import ServerProcess, serve_command, stores_in

K = 20
WARM_UP_S = 2.0
START_S = 600.0
"""How long the start may take: it folds in the histories of the data set."""
GARS = str(Path(sys.executable).with_name("gars"))


class Tally:
    """Answers by status, and how long those with 200 took."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.milliseconds: list[float] = []
        self.without_retry_after = 0

    def add(self, status: int, seconds: float, retry_after_s: float | None) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if status == 200:
            self.milliseconds.append(1e3 * seconds)
        elif status == 503 and retry_after_s is None:
            self.without_retry_after += 1

    def columns(self, seconds: float, cpu_seconds: float) -> str:
        """Return the columns of the table."""
        n, made = self.statuses.total(), self.statuses[200]
        p50, p95, p99 = np.percentile(self.milliseconds, [50, 95, 99]) if made else (float("nan"),) * 3
        return (
            f"{n:,} | {made / seconds:,.0f} | {p50:.0f} | {p95:.0f} | {p99:.0f} | "
            f"{self.statuses[503] / max(1, n):.1%} | {cpu_seconds / seconds:.2f}"
        )


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, user: str
) -> tuple[int, float | None]:
    """Ask for a list and read the answer. → its status, and the seconds of its Retry-After"""
    path = f"/api/v1/users/{user}/recommendations?k={K}"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    headers = dict(line.split(b": ", 1) for line in lines[1:] if line)
    await reader.readexactly(int(headers[b"content-length"]))
    after = headers.get(b"retry-after")
    return int(lines[0].split()[1]), None if after is None else float(after)


async def load(server: ServerProcess, users: list[str], connections: int, seconds: float, *, waits: bool) -> Tally:
    """Ask over so many connections until the time is over."""
    tally = Tally()
    turns = itertools.cycle(users)
    host, port = server.address.removeprefix("http://").split(":")
    end = time.perf_counter() + seconds

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            while (started := time.perf_counter()) < end:
                status, after_s = await answer(reader, writer, host, next(turns))
                tally.add(status, time.perf_counter() - started, after_s)
                if waits and after_s is not None:
                    await asyncio.sleep(min(after_s, max(0.0, end - time.perf_counter())))
        finally:
            writer.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return tally


def train(home: Path) -> None:
    """Build the sample and train a quick model."""
    for command in (["data", "build"], ["train", "--quick", "--no-log"]):
        subprocess.run([GARS, *command, "--home", str(home)], check=True)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, help="folder of the data set and the promoted model")
    options.add_argument("--connections", type=int, nargs="+", default=[32, 256])
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--queue-budget-ms", type=int, help="GARS_QUEUE_BUDGET_MS; the service's default without")
    options.add_argument("--processes", type=int, default=0, help="GARS_PROCESSES")
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home
        if home is None:
            home = Path(folder) / "home"
            train(home)
        measure(home, Path(folder), args)


def measure(home: Path, folder: Path, args: argparse.Namespace) -> None:
    """Start a service on a model, with stores of its own, and print a row for each load."""
    users = [str(user) for user in Recommender.load(home / "models" / "current").user_ids.tolist()]
    environment = stores_in(folder) | {
        "GARS_RATE_PER_S": "0",
        "GARS_LIST_CACHE": "0",
        "GARS_PROCESSES": str(args.processes),
    }
    if args.queue_budget_ms is not None:
        environment["GARS_QUEUE_BUDGET_MS"] = str(args.queue_budget_ms)
    server = ServerProcess(serve_command(home), environment=environment, ready_within_s=START_S)
    bad: Counter[int] = Counter()
    try:
        asyncio.run(load(server, users, 8, WARM_UP_S, waits=False))
        print("\n| after a 503 | connections | answers | lists/s | p50 ms | p95 | p99 | 503s | cores |")
        print("|---|---|---|---|---|---|---|---|---|", flush=True)
        for waits in (False, True):
            for connections in args.connections:
                worked, began = wrk.cpu_seconds(server), time.perf_counter()
                tally = asyncio.run(load(server, users, connections, args.seconds, waits=waits))
                columns = tally.columns(time.perf_counter() - began, wrk.cpu_seconds(server) - worked)
                print(f"| {'waits' if waits else 'at once'} | {connections} | {columns} |", flush=True)
                bad.update({status: n for status, n in tally.statuses.items() if status not in (200, 503)})
                bad.update({503: tally.without_retry_after})
    finally:
        code = server.stop()
    if code or bad.total():
        raise SystemExit(f"other answers, or 503 without Retry-After: {dict(+bad)}; exit code {code}")


if __name__ == "__main__":
    main()
