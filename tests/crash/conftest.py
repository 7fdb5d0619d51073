"""``start(home, …)``: a real server process with the double of the model, ended when the test ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gars_test_support.server import ServerProcess

KILLABLE = Path(__file__).parent / "killable_server.py"


@pytest.fixture
def start() -> Iterator[Callable[..., ServerProcess]]:
    started: list[ServerProcess] = []

    def start_one(home: Path, kill_at: tuple[int, int] | None = None, **environment: str) -> ServerProcess:
        if kill_at is not None:
            environment["KILL_AT"] = "{}:{}".format(*kill_at)
        command = [sys.executable, str(KILLABLE), "--home", str(home), "--port", "0"]
        started.append(ServerProcess(command, environment=environment))
        return started[-1]

    yield start_one
    for server in started:
        if server.process.poll() is None:
            server.stop(signal.SIGKILL)
