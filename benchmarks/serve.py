"""What a list costs, in the library and over HTTP, for users with 10, 100 and 1,000 interactions.

    gars data build && gars train --home var          # a model to serve
    python benchmarks/serve.py --home var             # all parts
    python benchmarks/serve.py --home var --part library
    python benchmarks/serve.py --home var --part library --copies 17   # a catalogue 17 times as large (enlarged.py)
    python benchmarks/serve.py --home var --part http --processes 0 2 3   # with GARS_PROCESSES of each

The library's users are users of the data set with at least so many titles, of which so many are drawn at random, seed
0; no user has 1,000 in a small data set, so there the longest lists stand in. "cpu" is the time of the processor in the
thread, which other processes on the machine disturb less than the time of the clock. The load generator of the HTTP
part runs on the same machine: open connections, each asking again as soon as it is answered, by wrk where it is
installed (a generator in Python costs more than the server it measures). "uncached" asks for one user after the other
and never for one whose list is still kept: each row goes on where the one before ended, after a row of two seconds that
is not printed, and fewer lists are kept than there are users. "made anew" is the share of the answers for which the
server made a list, by its own count. "unchanged" asks for one user over and over. "400/s" asks so often whether it is
answered or not, by Python, and counts the time from when a request was due. Processor seconds and memory are those of
the service and the processes that make its lists.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import secrets
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

import wrk
from enlarged import enlarged
from gars import Filters, Recommender
from gars.application.recommend.list_request import ListRequest
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.history import History, Rating, from_ratings
from gars.entrypoints.api.tokens import Tokens
from gars.library.blas import one_thread
from gars.library.engine import Engine
from gars.library.malloc import keep_freed_memory
from gars.runtime.stage_times import StageTimes, measuring
from gars_test_support.server import ServerProcess, serve_command, stores_in

LENGTHS = (10, 100, 1000)
LEAST_USERS = 20
"""With fewer users of a length, the longest lists are taken instead."""
K = 20
WARM_UP_S = 2
_MISSES = 'gars_list_cache_total{result="miss"}'


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--part", choices=("library", "http", "tokens", "all"), default="all")
    options.add_argument("--users", type=int, default=200, help="users of each length")
    options.add_argument("--seconds", type=float, default=5, help="of each HTTP measurement")
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--processes", type=int, nargs="+", default=[0], help="GARS_PROCESSES of each HTTP table")
    options.add_argument("--rates", type=int, nargs="*", default=[200, 400], help="requests a second, answered or not")
    options.add_argument("--copies", type=int, default=1, help="of each title, for the library's part")
    args = options.parse_args()
    keep_freed_memory()  # as the service does
    model = Recommender.load(args.home / "models" / "current")
    if args.part in ("library", "all"):
        library(model, args.users, enlarged(model.engine, args.copies) if args.copies > 1 else model.engine)
    users = [str(user) for user in model.user_ids.tolist()]
    if args.part in ("http", "all"):
        for processes in args.processes:
            http(args.home, users, args.seconds, args.connections, processes, args.rates)
    if args.part in ("tokens", "all"):
        if shutil.which("wrk") is None:
            raise SystemExit("the part with tokens needs wrk, from the distribution: apt-get install wrk")
        http_with_tokens(args.home, users[0], args.seconds, args.connections)


def library(model: Recommender, n_users: int, engine: Engine) -> None:
    """Percentiles of one call after the other, and the mean time of each stage, for users of ``model``."""
    print(f"{len(engine.anime):,} titles\n")
    print("| call | interactions | users | candidates | p50 ms | p95 | p99 | cpu p50 ms | cpu p99 | req per CPU-s |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    stages: dict[int, StageTimes] = {}
    with one_thread():
        for length in LENGTHS:
            histories = drawn(model, length, n_users)
            found = np.mean([len(engine.retrieve(one, want=K, filters=Filters())) for one in histories[:LEAST_USERS]])
            calls: tuple[tuple[str, Callable[[History], object]], ...] = (
                ("ranked ids", lambda one: engine.ranked_ids(one, k=K, filters=Filters())),
                ("recommend", lambda one: engine.recommend_history(one, ListRequest(k=K, filters=Filters()))),
                (
                    "with the service's rules",
                    lambda one: engine.recommend_history(one, ListRequest(k=K, filters=SERVICE_DEFAULTS)),
                ),
            )
            for name, call in calls:
                wall, cpu = timed(call, histories)
                print(
                    f"| {name} | {length:,} | {len(histories)} | {found:.0f} | {percentiles(wall)} | "
                    f"{np.median(cpu):.2f} | {np.percentile(cpu, 99):.2f} | {1e3 / cpu.mean():,.0f} |",
                    flush=True,
                )
            with measuring() as stages[length]:
                for one in histories:
                    engine.recommend_history(one, ListRequest(k=K, filters=SERVICE_DEFAULTS))
            for name in stages[length].milliseconds:
                stages[length].milliseconds[name] /= len(histories)
    names = list(stages[LENGTHS[0]].milliseconds)
    print("\n| mean ms of a stage | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for length, times in stages.items():
        print(f"| {length:,} | " + " | ".join(f"{times.milliseconds[name]:.2f}" for name in names) + " |")


def drawn(model: Recommender, length: int, n_users: int) -> list[History]:
    """Histories of so many titles of users of the data set."""
    lists = [model.read_history(None, user) for user in model.user_ids.tolist()]
    enough = [one for one in lists if len(one) >= length][:n_users]
    if len(enough) < LEAST_USERS:
        enough = sorted(lists, key=len, reverse=True)[:LEAST_USERS]
    rng = np.random.default_rng(0)
    found = []
    for one in enough:
        kept = np.sort(rng.permutation(len(one))[:length])
        pairs = zip(one.anime_ids[kept].tolist(), one.ratings[kept].tolist(), strict=True)
        found.append(from_ratings([Rating(anime, None if np.isnan(rating) else rating) for anime, rating in pairs]))
    return found


def timed(call: Callable[[History], object], histories: Sequence[History]) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds of the clock and of the processor of each call."""
    for one in histories[:5]:
        call(one)
    wall, cpu = np.zeros(len(histories)), np.zeros(len(histories))
    for place, one in enumerate(histories):
        started, worked = time.perf_counter(), time.thread_time()
        call(one)
        cpu[place], wall[place] = time.thread_time() - worked, time.perf_counter() - started
    return wall * 1e3, cpu * 1e3


def percentiles(milliseconds: np.ndarray) -> str:
    """p50 | p95 | p99."""
    return " | ".join(f"{value:.2f}" for value in np.percentile(milliseconds, [50, 95, 99]))


def http(home: Path, users: list[str], seconds: float, connections: int, processes: int, rates: Sequence[int]) -> None:
    """Requests per second of a server started for it, with stores of its own."""
    generate = by_wrk if shutil.which("wrk") else by_python
    print(f"\nGenerator: {'wrk' if generate is by_wrk else 'Python'}; processes that make lists: {processes}")
    print("\n| HTTP GET | connections | made anew | requests | failed | req/s | p50 ms | p95 | p99 | req per CPU-s |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        cache = {"GARS_LIST_CACHE": str(min(1000, len(users) // 4))}
        server = ServerProcess(
            [*serve_command(home), "--processes", str(processes)],
            environment={**stores_in(folder), **cache, "GARS_RATE_PER_S": "0"},
        )
        try:
            first = lists_made(server)

            def row(name: str, open_: str, load: Callable[[list[str]], str], *, uncached: bool) -> None:
                before = lists_made(server)
                place = (before - first) % len(users)
                figures = load(users[place:] + users[:place] if uncached else users[:1])
                anew = (lists_made(server) - before) / int(figures.partition(" ")[0].replace(",", ""))
                print(f"| {name} | {open_} | {anew:.0%} | {figures} |", flush=True)

            generate(server, users, WARM_UP_S, connections)
            for name in ("uncached", "unchanged"):
                for open_ in (1, connections):
                    by_connections = partial(generate, server, seconds=seconds, connections=open_)
                    row(name, str(open_), by_connections, uncached=name == "uncached")
            for rate in rates:
                by_rate = partial(at_rate, server, seconds=seconds, rate=rate)
                row(f"uncached, {rate}/s", "as needed", by_rate, uncached=True)
            print("\nmemory, MB: " + " + ".join(f"{wrk.megabytes(pid):,.0f}" for pid in wrk.pids(server)))
        finally:
            server.stop()


def http_with_tokens(home: Path, user: str, seconds: float, connections: int) -> None:
    """Requests per second for a list that has not changed, of a server that checks a token for each request."""
    service_token = secrets.token_urlsafe(32)
    kinds = (("a user's", Tokens(service_token).issue(user)), ("the service's", service_token))
    print(
        "\n| unchanged, with a token | connections | requests | failed | req/s | p50 ms | p95 | p99 | req per CPU-s |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**stores_in(folder), "GARS_SERVICE_TOKEN": service_token, "GARS_RATE_PER_S": "0"}
        server = ServerProcess(serve_command(home), environment=environment)
        try:
            for kind, token in kinds:
                by_wrk(server, [user], WARM_UP_S, connections, token)
                for open_ in (1, connections):
                    print(f"| {kind} | {open_} | {by_wrk(server, [user], seconds, open_, token)} |", flush=True)
        finally:
            server.stop()


def lists_made(server: ServerProcess) -> int:
    """How many lists the server has made since its start."""
    with urllib.request.urlopen(f"{server.address}/metrics") as answer:
        counters = [line for line in answer.read().decode().splitlines() if line.startswith(_MISSES)]
    return int(float(counters[0].split()[-1]))


def by_wrk(
    server: ServerProcess, users: Sequence[str], seconds: float, connections: int, token: str | None = None
) -> str:
    """Ask for lists of these users in turn until the time is over. → the columns of the table"""
    variables = {} if token is None else {"GARS_TOKEN": token}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(users))
        file.flush()
        variables["GARS_USERS"] = file.name
        done = wrk.load(server, "lists.lua", connections=connections, seconds=seconds, variables=variables)
    figures = " | ".join(f"{value:.2f}" for value in done.milliseconds)
    n = done.requests
    return f"{n:,} | {done.failed} | {n / done.seconds:,.0f} | {figures} | {n / done.cpu_seconds:,.0f}"


def by_python(server: ServerProcess, users: Sequence[str], seconds: float, connections: int) -> str:
    """The same with this process as the generator."""
    return asyncio.run(load(server, users, seconds, connections))


async def load(server: ServerProcess, users: Sequence[str], seconds: float, connections: int) -> str:
    """Ask for lists of these users in turn until the time is over. → the columns of the table"""
    tally = Tally(server)
    end = time.perf_counter() + seconds
    turns = itertools.cycle(users)

    async def ask() -> None:
        connection = await Connection.open(server)
        while (started := time.perf_counter()) < end:
            tally.add(await connection.list_of(next(turns)), started)
        connection.close()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return tally.columns()


def at_rate(server: ServerProcess, users: Sequence[str], seconds: float, rate: int) -> str:
    """Ask at a fixed rate, answered or not (an open loop): a slow answer delays no later request."""
    return asyncio.run(paced(server, users, seconds, rate))


async def paced(server: ServerProcess, users: Sequence[str], seconds: float, rate: int) -> str:
    """Ask for lists of these users in turn, one every 1/``rate`` s. → the columns of the table"""
    tally = Tally(server)
    idle: list[Connection] = []
    began = time.perf_counter()

    async def ask(user: str, due: float) -> None:
        connection = idle.pop() if idle else await Connection.open(server)
        tally.add(await connection.list_of(user), due)
        idle.append(connection)

    tasks = []
    for turn in range(int(seconds * rate)):
        due = began + turn / rate
        await asyncio.sleep(due - time.perf_counter())
        tasks.append(asyncio.create_task(ask(users[turn % len(users)], due)))
    await asyncio.gather(*tasks)
    for connection in idle:
        connection.close()
    return tally.columns()


class Connection:
    """One that is kept open."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._reader, self._writer = host, reader, writer

    @classmethod
    async def open(cls, server: ServerProcess) -> Connection:
        """Connect."""
        host, port = server.address.removeprefix("http://").split(":")
        return cls(host, *await asyncio.open_connection(host, int(port)))

    async def list_of(self, user: str) -> bool:
        """Ask for a list and read it. → whether there was one"""
        path = f"/api/v1/users/{user}/recommendations?k={K}"
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        await self._reader.readexactly(length_of(head))
        return head.startswith(b"HTTP/1.1 200")

    def close(self) -> None:
        """Let go."""
        self._writer.close()


class Tally:
    """What came of the requests."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._failed = 0
        self._milliseconds: list[float] = []
        self._began, self._worked = time.perf_counter(), wrk.cpu_seconds(server)

    def add(self, is_answered: bool, since: float) -> None:
        """One that has come to its end now."""
        self._failed += not is_answered
        self._milliseconds.append((time.perf_counter() - since) * 1e3)

    def columns(self) -> str:
        """Of the table."""
        spent, cpu = time.perf_counter() - self._began, wrk.cpu_seconds(self._server) - self._worked
        n = len(self._milliseconds)
        figures = percentiles(np.array(self._milliseconds))
        return f"{n:,} | {self._failed} | {n / spent:,.0f} | {figures} | {n / cpu:,.0f}"


def length_of(head: bytes) -> int:
    """The length of the body that follows a response's head."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError(f"a response without a length: {head!r}")


if __name__ == "__main__":
    main()
