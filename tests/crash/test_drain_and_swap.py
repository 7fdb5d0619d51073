"""A real server is stopped, and swaps models, under load: no request fails."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gars_test_support.patience import until
from gars_test_support.server import ServerProcess

ODD = Path(__file__).parent / "odd_server.py"


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    return tmp_path / "hold"


@pytest.fixture
def server(tmp_path: Path, hold: Path) -> Iterator[ServerProcess]:
    promote(tmp_path, "model-0")
    environment = {"GARS_MODEL_CHECK_MS": "20", "GARS_RANK_BUDGET_MS": "0", "HOLD": str(hold)}
    command = [sys.executable, str(ODD), "--home", str(tmp_path), "--port", "0"]
    running = ServerProcess(command, environment=environment)
    yield running
    hold.unlink(missing_ok=True)
    if running.process.poll() is None:
        running.stop(signal.SIGKILL)


def promote(home: Path, version: str) -> None:
    (home / "models").mkdir(exist_ok=True)
    fresh = home / "models" / ".fresh"
    fresh.symlink_to(version)
    fresh.replace(home / "models" / "current")


def serving(http: httpx.Client) -> str:
    return str(http.get("/api/v1/about").json()["model"]["version"])


@pytest.mark.slow
def test_sigterm_lets_requests_finish_and_refuses_new_ones(server: ServerProcess, hold: Path) -> None:
    hold.touch()
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{server.address}/?user_id=7", timeout=60)))
    asking.start()
    until(hold.with_suffix(".waiting").exists)
    os.kill(server.process.pid, signal.SIGTERM)
    until(lambda: refuses(server.address))
    assert server.process.poll() is None, "it waits for the request"
    hold.unlink()
    asking.join(60)
    assert [answer.status_code for answer in answers] == [200]
    assert len(answers[0].json()) == 20
    assert server.wait() == 0
    assert server.output.endswith("stopped\n")


@pytest.mark.slow
def test_a_second_signal_does_not_wait(server: ServerProcess, hold: Path) -> None:
    hold.touch()
    asking = threading.Thread(target=lambda: refuses(server.address, "/?user_id=7"))
    asking.start()
    until(hold.with_suffix(".waiting").exists)
    os.kill(server.process.pid, signal.SIGTERM)
    until(lambda: refuses(server.address))
    assert server.process.poll() is None
    assert server.stop(signal.SIGTERM) == 1
    asking.join(60)
    assert "stopped before every request was answered" in server.output


def refuses(address: str, path: str = "/api/v1/health/live") -> bool:
    try:
        httpx.get(f"{address}{path}", timeout=60)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        return False
    return False


class Client(threading.Thread):
    """Sends requests and clicks until stopped; counts responses by status, and notes the model of the latest list."""

    def __init__(self, address: str, user: str) -> None:
        super().__init__()
        self.address, self.user = address, user
        self.enough = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.latest = ""

    def run(self) -> None:
        with httpx.Client(base_url=self.address, timeout=60) as http:
            while not self.enough.is_set():
                response = http.get(f"/api/v1/users/{self.user}/recommendations")
                self.statuses[response.status_code] += 1
                self.latest = response.json()["model_version"]
                for answer in (
                    http.post("/clicks", json={"user_id": self.user, "anime_id": 1}),
                    http.get("/api/v1/anime/1/similar"),
                    http.get("/api/v1/anime?query=bebop"),
                    http.get("/api/v1/onboarding"),
                ):
                    self.statuses[answer.status_code] += 1


@pytest.mark.slow
def test_models_are_swapped_under_load_without_a_failed_request(server: ServerProcess, tmp_path: Path) -> None:
    clients = [Client(server.address, f"user-{number}") for number in range(3)]
    for client in clients:
        client.start()
    versions = [f"model-{number}" for number in (1, 2, 1, 3)]
    with httpx.Client(base_url=server.address, timeout=60) as http:
        for version in versions:
            promote(tmp_path, version)
            until(lambda version=version: all(version == client.latest for client in clients))  # type: ignore[misc]
        promote(tmp_path, "bad-4")
        until(lambda: "model" in http.get("/api/v1/health/ready").json()["warnings"])
        ready = http.get("/api/v1/health/ready")
        assert ready.status_code == 200, "the model before it goes on"
        assert "bad-4 was promoted but cannot serve (bad-4 is damaged); model-3 goes on" in ready.text
        assert serving(http) == "model-3"
        promote(tmp_path, "model-0")
        until(lambda: serving(http) == "model-0")
        assert http.get("/api/v1/health/ready").json()["warnings"] == {}
        for client in clients:
            client.enough.set()
            client.join(60)
        assert "gars_model_swaps_total 5.0" in http.get("/metrics").text
    counted = sum((client.statuses for client in clients), Counter[int]())
    assert set(counted) == {200, 202}
    assert counted[202] >= len(versions)
    assert server.stop() == 0


@pytest.mark.slow
def test_sighup_looks_at_once(tmp_path: Path) -> None:
    promote(tmp_path, "model-0")
    command = [sys.executable, str(ODD), "--home", str(tmp_path), "--port", "0"]
    server = ServerProcess(command, environment={"GARS_MODEL_CHECK_MS": "0"})
    with httpx.Client(base_url=server.address) as http:
        promote(tmp_path, "model-1")
        assert serving(http) == "model-0"
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: serving(http) == "model-1")
    assert server.stop() == 0
    assert "the model model-1 serves now" in server.output
