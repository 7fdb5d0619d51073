"""The whole stack by its command: up, used, its parts killed and brought back, down; nothing of it left."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gars.config import Settings, from_environment
from gars.stack import plan
from gars.stack.running import Running
from gars.stack.services import GARS
from gars_test_support.patience import until

PARTS = ["kafka", "redis", "cassandra", "history", "clicks", "recall", "rank", "api", "web"]
"""Without the feature job: what it does is tested by itself."""


def gars_stack(home: Path, engines: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GARS, "stack", *words, "--home", str(home)],
        env={**os.environ, "GARS_ENGINES": str(engines)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def up(home: Path, engines: Path, *words: str) -> None:
    done = gars_stack(home, engines, "up", *PARTS, "--engine-factory", "gars.testing.engine:make", *words)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, engines: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    try:
        up(folder, engines, "--free-ports")
        yield folder
    finally:
        done = gars_stack(folder, engines, "down")
        assert done.returncode == 0, done.stderr
        assert gars_stack(folder, engines, "status", *PARTS).stdout.count("does not run") == len(PARTS)


@pytest.fixture(scope="module")
def settings(home: Path) -> Settings:
    return from_environment({}, home=home)


@pytest.fixture(scope="module")
def ports(settings: Settings) -> plan.Ports:
    return plan.ports_of(settings)


def running(settings: Settings, name: str) -> Running:
    (part,) = plan.stack_of(settings, plan.ports_of(settings)).chosen([name])
    return Running(part)


def get(url: str) -> Any:
    return httpx.get(url, timeout=60)


def click(port: int, user_id: str) -> str:
    answer = httpx.post(f"http://127.0.0.1:{port}/clicks", json={"user_id": user_id, "anime_id": 1}, timeout=60)
    assert answer.status_code == 202, answer.text
    (event_id,) = answer.json()["accepted"]
    return str(event_id)


def test_everything_is_healthy(home: Path, engines: Path) -> None:
    done = gars_stack(home, engines, "status", *PARTS)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("healthy") == len(PARTS)


def test_the_page_is_there_and_reaches_the_api(ports: plan.Ports) -> None:
    page = get(f"http://127.0.0.1:{ports.web}/anime/5")
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"/assets/" in page.content
    assert get(f"http://127.0.0.1:{ports.web}/api/v1/health/ready").status_code == 200


def test_a_click_reaches_the_history(ports: plan.Ports) -> None:
    sent = {click(ports.clicks, "fan"), click(ports.api, "fan")}  # either service takes it

    def exported() -> set[str]:
        body = get(f"http://127.0.0.1:{ports.api}/api/v1/users/fan/export").json()
        return {event["event_id"] for event in body["interactions"]}

    until(lambda: exported() == sent)


def test_what_was_killed_comes_back_with_up(home: Path, engines: Path, settings: Settings, ports: plan.Ports) -> None:
    for name in ("redis", "history", "clicks"):
        running(settings, name).daemon(name).kill()
    assert get(f"http://127.0.0.1:{ports.api}/api/v1/users/fan/recommendations").status_code == 200
    status = gars_stack(home, engines, "status", *PARTS)
    assert status.returncode == 1
    assert status.stdout.count("does not run") == 3
    kept = running(settings, "kafka").daemon("kafka").pid
    up(home, engines)
    assert running(settings, "kafka").daemon("kafka").pid == kept
    assert gars_stack(home, engines, "status", *PARTS).returncode == 0


def test_doctor_finds_nothing_through_the_addresses_of_env(home: Path, engines: Path) -> None:
    output = gars_stack(home, engines, "env").stdout
    variables = dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines())
    done = subprocess.run(
        [*GARS, "doctor"], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    # there is no trained model here: that is all it has to say
    wrong = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("✗")]
    assert all("model" in line for line in wrong), wrong
    assert "✓ history" in done.stdout + done.stderr
