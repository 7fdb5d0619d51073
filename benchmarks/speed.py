"""Speed of the service on this machine, each figure with a floor that was measured in the same run.

    python benchmarks/speed.py --home var                       # prints the tables, about five minutes
    python benchmarks/speed.py --home var --also page cluster training --write docs/benchmarks.md
    make bench                                                  # the latter, about twenty minutes

``--also page`` needs Chromium and the modules of web/, ``cluster`` the engines of ``gars stack`` and the extra
``cluster``, ``training`` the data set of the model. A part that cannot run is named as skipped.

A floor, where a figure has one, is what the machine needs for the least that the figure contains: a matrix product that
reads as much as the vectors of all titles, an fsync, an empty route of the same server, the start of Python, a server
without a framework, an acknowledged record of librdkafka. Machines differ, and one machine differs from hour to hour;
the ratio of a figure to its floor differs less. The parts are the other benchmarks of this folder, each in a process of
its own; their tables are printed whole.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import wrk
from gars.datasets.durable import write_whole
from gars.evaluation.report.benchmarks import replace_block
from gars.evaluation.report.machine import commit, machine
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess, serve_command, stores_in

HERE = Path(__file__).parent
TITLES, DIMENSIONS = 28_287, 192
"""Size of the matrix of the product: titles and iALS dimensions of today's catalogue."""
REPEATS = 200

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Floors:
    """What the machine needs at least. Milliseconds, except ``requests_per_s``."""

    product_ms: float
    fsync_ms: float
    request_ms: float
    requests_per_s: float
    """Of 8 connections to the empty route."""
    python_s: float
    """Start of Python and import of numpy and the server."""


def main() -> None:
    """Measure floors, then parts; print all tables."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--home", type=Path, required=True, help="folder of the data set and the promoted model")
    options.add_argument("--seconds", type=int, default=5, help="of each HTTP measurement")
    options.add_argument("--write", type=Path, help="document whose block between the two marks is replaced")
    options.add_argument("--also", nargs="*", choices=("page", "cluster", "training"), default=[], help="longer parts")
    given = options.parse_args()
    floors = measure_floors(given.seconds)
    home, seconds = ["--home", str(given.home)], ["--seconds", str(given.seconds)]
    outputs = {
        "list": run("serve.py", *home, "--part", "library"),
        "http": run("serve.py", *home, "--part", "http", "--rates", "200", *seconds),
        "tokens": run("serve.py", *home, "--part", "tokens", *seconds),
        "click": run("freshness.py", *home),
        "ingest": run("ingest.py", *home, *seconds),
        "states": run("states.py", *home, "--users", "200000"),
        "rebuild": run("rebuild.py", *home),
    }
    processes = run("serve.py", *home, "--part", "http", "--rates", "200", *seconds, "--processes", "2")
    start_s, start_mb = start(given.home)
    longer = [line for name in given.also for line in run_longer_part(name, given.home, floors)]
    here, load = machine(), os.getloadavg()[0]
    lines = [
        f"`python benchmarks/speed.py --home HOME`, {here.cores} cores of {here.cpu}, load {load:.1f} at the end, "
        f"Python {here.python}, commit {commit()}.\n",
        "| figure | measured | floor in the same run | ratio |\n|---|---|---|---|",
        *summary(outputs, floors),
        *http_rows(processes, floors, ", two processes", {"uncached", "uncached, 200/s"}),
        f"| service ready after its start | {start_s:.1f} s, {start_mb:,.0f} MB | start of Python "
        f"{floors.python_s:.2f} s | {start_s / floors.python_s:.1f} |",
        *longer,
    ]
    block = "\n".join(lines)
    print("\n" + block)
    if given.write:
        write_whole(given.write, replace_block(given.write.read_text(encoding="utf-8"), "speed", block).encode())


def run(name: str, *arguments: str) -> str:
    """Run a benchmark and print its output as it comes. → the output"""
    print(f"\n$ python benchmarks/{name} {' '.join(arguments)}", flush=True)
    lines = []
    with subprocess.Popen([sys.executable, str(HERE / name), *arguments], stdout=subprocess.PIPE, text=True) as part:
        assert part.stdout is not None
        for line in part.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if part.returncode:
        raise SystemExit(f"benchmarks/{name} failed with exit code {part.returncode}")
    return "".join(lines)


def rows(output: str) -> Iterator[Row]:
    """Read the rows of all Markdown tables in a text, by the heads of their columns."""
    head: list[str] = []
    for line in output.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            head = []
        elif not head:
            head = cells
        elif not set(line) <= set("|-"):
            yield dict(zip(head, cells, strict=True))


def summary(outputs: dict[str, str], floors: Floors) -> Iterator[str]:
    """Write a row of the summary for each figure that has a target."""
    for row in rows(outputs["list"]):
        if row.get("call") == "with the service's rules":
            yield _slower(
                f"list of 20 with reasons, {row['interactions']} titles known", row, "product", floors.product_ms
            )
    yield from http_rows(outputs["http"], floors)
    yield from http_rows(outputs["tokens"], floors)
    for row in rows(outputs["click"]):
        if row.get("") == "both":
            least = floors.fsync_ms + 2 * floors.request_ms
            yield _slower("click on disk, then the changed list", row, "fsync and two empty routes", least)
    for row in rows(outputs["ingest"]):
        if row["connections"] == "8":
            rate = float(row["events/s"].replace(",", ""))
            per_batch = 100 / rate * 1e3
            yield (
                f"| events of {row['users']} users, batches of 100, 8 connections | {row['events/s']} a second | "
                f"fsync {floors.fsync_ms:.2f} ms | {per_batch / floors.fsync_ms:.1f} a batch |"
            )

    for row in rows(outputs["states"]):
        if "MB on disk" in row:
            least = 2 * int(row["titles each"])
            size = int(row["bytes a user"].replace(",", ""))
            yield (
                f"| a million users at rest, measured with {row['users']} | {size:,} MB on disk; "
                f"{row['MB in memory']} MB in memory with 5,000 states "
                f"| two bytes a title {least:,.0f} MB | {size / least:.1f} |"
            )
    for row in rows(outputs["rebuild"]):
        yield (
            f"| states lost, a million events in the log | ready after {row['ready after']}, rebuilt after "
            f"{row['rebuilt after that']} more, lists until then p50 {row['p50 ms']} ms, p99 {row['p99']} ms | | |"
        )


def http_rows(output: str, floors: Floors, what: str = "", kinds: set[str] | None = None) -> Iterator[str]:
    """Write a row for each measurement over HTTP, or those of some kinds, with the empty route as its floor."""
    names = {
        "uncached": "made anew",
        "unchanged": "that has not changed",
        "uncached, 200/s": "made anew, 200 asked for a second",
    }
    for row in rows(output):
        token = row.get("unchanged, with a token")
        kind = row.get("HTTP GET", "")
        if kind not in kinds if kinds is not None else token is None and kind not in names:
            continue
        name = names[kind] if token is None else f"that has not changed, with {token} token"
        if row["failed"] != "0":
            raise SystemExit(f"{row['failed']} requests failed: {row}")
        measured = f"{row['req/s']} a second, p50 {row['p50 ms']} ms, p99 {row['p99']} ms"
        if row["connections"] == "8":
            rate = float(row["req/s"].replace(",", ""))
            ratio, floor = floors.requests_per_s / rate, f"empty route {floors.requests_per_s:,.0f} a second"
        else:
            ratio, floor = float(row["p50 ms"]) / floors.request_ms, f"empty route {floors.request_ms:.2f} ms"
        connections = {"1": ", 1 connection", "8": ", 8 connections"}.get(row["connections"], "")
        yield f"| GET of a list {name}{connections}{what} | {measured} | {floor} | {ratio:.1f} |"


def run_longer_part(name: str, home: Path, floors: Floors) -> Iterator[str]:
    """Run one of the longer parts. → its rows; one that names it as skipped where it cannot run"""
    parts: dict[str, Callable[[], list[str]]] = {
        "page": partial(measure_page, home, floors),
        "cluster": partial(measure_cluster, home),
        "training": partial(measure_training, home),
    }
    try:
        yield from parts[name]()
    except (Exception, SystemExit) as error:  # the other figures are worth writing down
        why = (str(error) or type(error).__name__).splitlines()[0]
        print(f"\n{name} was skipped: {error!r}", flush=True)
        yield f"| {name} | skipped: {why} | | |"


def measure_page(home: Path, floors: Floors) -> list[str]:
    """Click on titles in a real browser."""
    if not (HERE.parent / "web" / "node_modules").is_dir():
        raise SystemExit("web/node_modules is missing: make web/node_modules/.installed")
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(serve_command(home), environment=stores_in(folder), ready_within_s=600)
        try:
            command = ["npm", "run", "--silent", "e2e", "--", "speed.test.mjs"]
            done = subprocess.run(
                command, cwd=HERE.parent / "web", env={**os.environ, "GARS_URL": server.address},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            server.stop()
    found = re.search(r"click to changed list: p50 (\d+) ms, slowest (\d+) ms", done.stdout)
    if found is None:
        raise SystemExit(f"npm run e2e -- speed.test.mjs: {(done.stdout + done.stderr).strip()[-300:]}")
    p50, slowest = (int(figure) for figure in found.groups())
    least = floors.fsync_ms + 2 * floors.request_ms
    return [
        f"| click in the page, then the changed list in the DOM | p50 {p50} ms, slowest {slowest} ms "
        f"| fsync and two empty routes {least:.2f} ms | {p50 / least:.0f} |"
    ]


def measure_cluster(home: Path) -> list[str]:
    """Measure the clicks service and a whole cluster, each on engines started for it."""
    service = list(rows(run("clicks_service.py", "--seconds", "5", "--clients", "64", "--batch", "1")))
    rate, empty, broker = (float(row["events/s"].replace(",", "")) for row in service)
    output = run("cluster_freshness.py", "--home", str(home))
    figures = {row["ms"]: row for row in rows(output)}
    changed, trip = figures["accepted → list changed"], figures["empty Kafka round trip"]
    recovered = re.search(r"first new state after ([\d.]+) s", output)
    return [
        f"| clicks service, single events, 64 clients | {rate:,.0f} a second "
        f"| a server that does nothing {empty:,.0f}, librdkafka alone {broker:,.0f} a second | {empty / rate:.1f} |",
        f"| cluster, 200 clicks a second: accepted → list changed | p50 {changed['p50']} ms, p99 {changed['p99']} ms "
        f"| empty Kafka round trip {trip['p50']} ms | {float(changed['p50']) / float(trip['p50']):.1f} |",
        f"| TaskManager killed: first new state | {recovered[1] if recovered else '?'} s | | |",
    ]


def measure_training(home: Path) -> list[str]:
    """Train on the data set of the home, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").symlink_to((home / "data").resolve())
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("gars")), "train", "--home", folder], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        spent = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"gars train ended with {process.returncode}")
    return [f"| `gars train` | {spent:.0f} s, {used.ru_maxrss / 1e6:.1f} GB | | |"]


def _slower(name: str, row: Row, floor: str, floor_ms: float) -> str:
    p50, p99 = float(row["p50 ms"]), float(row["p99"])
    return f"| {name} | p50 {p50:.2f} ms, p99 {p99:.2f} ms | {floor} {floor_ms:.2f} ms | {p50 / floor_ms:.1f} |"


def measure_floors(seconds: int) -> Floors:
    """Measure product, fsync, empty route and start of Python."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((TITLES, DIMENSIONS), dtype=np.float32)
    query = rng.standard_normal(DIMENSIONS, dtype=np.float32)
    with tempfile.TemporaryFile() as file:

        def append() -> None:
            file.write(bytes(100))
            file.flush()
            os.fsync(file.fileno())

        product_ms, fsync_ms = median_ms(lambda: vectors @ query), median_ms(append)
    server = ServerProcess([sys.executable, str(HERE / "empty_route.py")])
    try:
        until(partial(answers, server.address), "the empty route")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as users:
            users.write("1\n")
            users.flush()
            environment = {"GARS_USERS": users.name}
            one, eight = (
                wrk.load(server, "lists.lua", connections=n, seconds=seconds, variables=environment) for n in (1, 8)
            )
    finally:
        server.stop()
    imports = [sys.executable, "-c", "import numpy, litestar, granian"]
    python_s = median_ms(lambda: subprocess.run(imports, check=True), repeats=5) / 1e3
    return Floors(product_ms, fsync_ms, one.milliseconds[0], eight.requests / eight.seconds, python_s)


def answers(address: str) -> bool:
    """Return true if a server answers."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def median_ms(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the median time of some calls."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


def start(home: Path) -> tuple[float, float]:
    """Start the service until it is ready, with stores of its own that were filled before. → seconds, resident MB"""
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2):  # the first start folds the histories of the data set into the stores
            started = time.perf_counter()
            # it prints its address once it is ready
            server = ServerProcess(serve_command(home), environment=stores_in(folder), ready_within_s=600)
            try:
                spent = time.perf_counter() - started
                size = wrk.megabytes(server.process.pid)
            finally:
                server.stop()
            print(f"start {turn + 1}: ready after {spent:.1f} s, {size:,.0f} MB", flush=True)
    return spent, size


if __name__ == "__main__":
    main()
