"""Load by wrk, and what it and the server took."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gars_test_support.server import ServerProcess


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it."""

    requests: int
    failed: int
    seconds: float
    milliseconds: tuple[float, float, float]
    """p50, p95, p99."""
    cpu_seconds: float
    """Of the server."""


def load(server: ServerProcess, script: str, *, connections: int, seconds: float, variables: Mapping[str, str]) -> Load:
    """Run wrk with a script of this folder until the time is over; ``variables`` are added to its environment."""
    here = Path(__file__).parent
    worked = cpu_seconds(server)
    output = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", str(here / script), server.address],
        env={**os.environ, "GARS_FIGURES": str(here / "figures.lua"), **variables},
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    requests, failed, spent, *latency = (float(word) for word in output.splitlines()[-1].split())
    p50, p95, p99 = latency
    return Load(int(requests), int(failed), spent, (p50, p95, p99), cpu_seconds(server) - worked)


def pids(server: ServerProcess) -> list[int]:
    """The server and its processes that make lists."""
    return [server.process.pid, *server.list_processes]


def cpu_seconds(server: ServerProcess) -> float:
    """What they have used of the processors until now (Linux)."""
    return sum(_cpu_seconds(pid) for pid in pids(server))


def megabytes(pid: int) -> float:
    """Memory that a process holds (Linux)."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def _cpu_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
