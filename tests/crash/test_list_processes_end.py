"""A real server whose lists are made by other processes: none of its requests fails when they end, and none stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gars.adapters.processes.cores import share_out
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess

GARS = [sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve"]
FAKE = ["--engine-factory", "gars.testing.engine:make"]
LIST = "/api/v1/users/{}/recommendations?k=5&offset={}"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    command = [*GARS, "--home", str(tmp_path), "--port", "0", "--processes", "2", *FAKE]
    running = ServerProcess(command, environment={"GARS_RATE_PER_S": "0", "GARS_LIST_CACHE": "0"})
    yield running
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


def metric(server: ServerProcess, name: str) -> float:
    lines = httpx.get(f"{server.address}/metrics").text.splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name} ")]
    return float(line.split()[-1])


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
def test_lists_go_on_while_their_processes_are_killed(server: ServerProcess) -> None:
    answers: Counter[tuple[int, str | None]] = Counter()
    enough = threading.Event()

    def keep_asking(user: str) -> None:
        with httpx.Client(base_url=server.address, timeout=60) as http:
            while not enough.is_set():
                response = http.get(LIST.format(user, len(answers) % 3))
                answers[response.status_code, response.json().get("fallback")] += 1

    clients = [threading.Thread(target=keep_asking, args=[f"user-{number}"]) for number in range(3)]
    for client in clients:
        client.start()
    killed = server.list_processes
    assert len(killed) == 2
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: is_gone(pid), "its end")  # type: ignore[misc]
    until(lambda: metric(server, "gars_list_process_restarts_total") == 2, "others in their place")
    until(lambda: metric(server, "gars_list_processes") == 2, "others in their place")
    enough.set()
    for client in clients:
        client.join()
    assert list(answers) == [(200, None)]
    assert not set(killed) & set(server.list_processes)
    assert httpx.get(f"{server.address}/api/v1/health/ready").json()["warnings"] == {}


@pytest.mark.slow
def test_each_has_a_core(server: ServerProcess) -> None:
    shares = share_out(sorted(os.sched_getaffinity(0)), 2)
    assert {frozenset(os.sched_getaffinity(pid)) for pid in server.list_processes} == set(shares.processes)
    assert os.sched_getaffinity(server.process.pid) == shares.service


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_none_outlives_the_service(server: ServerProcess, number: signal.Signals) -> None:
    assert httpx.get(server.address + LIST.format("7", 0)).status_code == 200
    processes = server.list_processes
    for pid in processes if number == signal.SIGINT else []:
        os.kill(pid, number)  # Ctrl-C reaches every process of a terminal
    assert server.stop(number) == (-number if number == signal.SIGKILL else 0)
    for pid in processes:
        until(lambda pid=pid: is_gone(pid), "its end")  # type: ignore[misc]
    assert "Traceback" not in server.output


def test_they_are_of_one_process_only(tmp_path: Path) -> None:
    finished = subprocess.run(
        [*GARS, "rank", "--home", str(tmp_path), "--port", "0", "--processes", "2", *FAKE],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert finished.returncode == 1
    assert "--processes make whole lists, and gars serve rank does not" in finished.stderr
