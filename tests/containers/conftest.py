"""deploy/compose.yaml, run: built and started once on an engine of its own (engine.sh), with a small model."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gars import Recommender
from gars.library.registry import Registry
from gars.runtime.free_ports import free_ports
from gars.runtime.progress import Silent
from gars.stack.java import Jars
from gars_test_support.patience import until
from gars_test_support.world import SMALL, small_world

ROOT = Path(__file__).parents[2]
ENGINE = Path(__file__).with_name("engine.sh")
_COMPOSE = ROOT / "deploy" / "compose.yaml"
_PROJECT = "garstest"
_PATIENCE_S = 600
_METRICS = """
from os import environ
from urllib.request import Request, urlopen
headers = {"Authorization": "Bearer " + environ["GARS_SERVICE_TOKEN"]}
print(urlopen(Request("http://127.0.0.1:8000/metrics", headers=headers)).read().decode())
"""
"""A program that prints the metrics of the api in whose container it runs."""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if ENGINE.parent in item.path.parents:
            item.add_marker(pytest.mark.containers)
            item.add_marker(pytest.mark.timeout(3600))


def lasting_services() -> list[str]:
    """Return the services that run until they are stopped, in the order of the compose file."""
    services: dict[str, dict[str, Any]] = yaml.safe_load(_COMPOSE.read_text())["services"]
    return [name for name, one in services.items() if one["restart"] == "unless-stopped"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "service" in metafunc.fixturenames:
        metafunc.parametrize("service", lasting_services())


@dataclass(frozen=True)
class Stack:
    """The services of the compose file, and a client of the page's way to them."""

    environment: dict[str, str]
    command: list[str]
    client: httpx.Client
    engine: httpx.Client
    """Asks Docker by its API: a process for each question would cost more than the services do."""
    services: list[str]

    def compose(self, *arguments: str) -> str:
        return _run([*self.command, *arguments], self.environment)

    def docker(self, *arguments: str) -> str:
        return _run(["/usr/bin/docker", *arguments], self.environment)

    def image_bytes(self, name: str) -> int:
        return int(self.docker("image", "inspect", "--format", "{{.Size}}", name))

    def up(self) -> None:
        """Start all services in their order and wait until they are healthy, as ``up --wait`` of version 2 does."""
        self.compose("up", "--detach", "--no-build")
        self.wait_healthy(*self.services)

    def container(self, service: str) -> str:
        return f"{_PROJECT}_{service}_1"

    def inspect(self, service: str) -> dict[str, Any]:
        answer = self.engine.get(f"/containers/{self.container(service)}/json")
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def health(self, service: str) -> str:
        """Return what the health check found: starting, healthy or unhealthy; down if the container does not run."""
        state = self.inspect(service)["State"]
        return str(state["Health"]["Status"]) if state["Running"] else "down"

    def processes(self, service: str) -> list[int]:
        """Return the process ids of a container as the host has them."""
        return [int(word) for word in self.docker("top", self.container(service), "-eo", "pid").split()[1:]]

    def kill(self, service: str) -> None:
        """Kill the container's first process from outside, as a crash: Docker then starts the container again."""
        before = self.inspect(service)
        os.kill(before["State"]["Pid"], signal.SIGKILL)
        until(
            lambda: self.inspect(service)["RestartCount"] > before["RestartCount"],
            f"Docker to start {service} again",
            within_s=_PATIENCE_S,
            pause_s=0.2,
        )
        self.wait_healthy(service)

    def wait_healthy(self, *services: str) -> None:
        """Wait until the health checks of these services pass."""
        for service in services:
            self.wait_for_health(service, "healthy")

    def wait_for_health(self, service: str, wanted: str) -> None:
        """Wait until the health check of a service finds it ``wanted``: healthy or unhealthy."""
        until(lambda: self.health(service) == wanted, f"{service} to be {wanted}", within_s=_PATIENCE_S, pause_s=0.2)

    @contextlib.contextmanager
    def another(self, service: str) -> Iterator[str]:
        """Run one more container of a service under its name, until the block ends. → its name"""
        container = f"{_PROJECT}_another_{service}"
        self.compose("run", "--detach", "--no-deps", "--use-aliases", "--name", container, service)
        try:
            yield container
        finally:
            self.docker("rm", "--force", container)

    def lists_answered(self, container: str) -> float:
        """Return the number of lists that an api has answered."""
        text = self.docker("exec", container, "/opt/gars/bin/python", "-c", _METRICS)
        found = re.findall(r'gars_http_requests_total{.*route="\S*/recommendations",status="200"} (\S+)', text)
        return sum(map(float, found))

    def recommendations(self, user_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/users/{user_id}/recommendations", params={"k": 5})
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    def history(self, user_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/users/{user_id}/export")
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-3000:]}\n{done.stderr[-5000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """Address of the engine. GARS_KEEP_CONTAINERS=1 leaves the engine running."""
    engines = Path(os.environ.get("GARS_ENGINES") or Path.home() / ".cache" / "gars" / "engines")
    for name in ("kafka", "cassandra"):
        Jars(name, engines).install(Silent())
    begin = time.monotonic()
    started = _run([str(ENGINE), "up"], {**os.environ, "GARS_ENGINES": str(engines)})
    print(f"engine and stand-ins: {time.monotonic() - begin:.0f} s")
    yield started.split()[-1]
    if not os.environ.get("GARS_KEEP_CONTAINERS"):
        _run([str(ENGINE), "down"], dict(os.environ))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small promoted model."""
    folder = tmp_path_factory.mktemp("home")
    interactions, catalogue = small_world()
    registry = Registry(folder / "models")
    registry.promote(registry.add(Recommender.fit(interactions, catalogue, config=SMALL, progress=False).save).version)
    return folder


@pytest.fixture(scope="session")
def stack(engine: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All services, healthy, with the home's model in their volume."""
    key = tmp_path_factory.mktemp("secrets") / "tombstones.key"
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o444)
    token = secrets.token_urlsafe(32)
    # the distribution's docker-compose is of version 1, which knows no names of projects
    file = tmp_path_factory.mktemp("compose") / "compose.yaml"
    file.write_text(re.sub(r"(?m)^name: .*$", "", _COMPOSE.read_text()))
    web, api, clicks = free_ports(3)
    environment = {
        **os.environ,
        "DOCKER_HOST": engine,
        "DOCKER_BUILDKIT": "1",
        "GARS_SERVICE_TOKEN": token,
        "GARS_TOMBSTONE_KEY_FILE": str(key),
        "GARS_WEB_PORT": str(web),
        "GARS_API_PORT": str(api),
        "GARS_CLICKS_PORT": str(clicks),
    }
    stack = Stack(
        environment,
        [
            "/usr/bin/docker-compose",
            "--project-name",
            _PROJECT,
            "--project-directory",
            str(ROOT / "deploy"),
            "--file",
            str(file),
        ],
        httpx.Client(
            base_url=f"http://127.0.0.1:{web}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            trust_env=False,
        ),
        httpx.Client(transport=httpx.HTTPTransport(uds=engine.removeprefix("unix://")), base_url="http://docker"),
        lasting_services(),
    )
    _build(stack)
    try:
        with contextlib.suppress(AssertionError):  # of a run that was interrupted
            stack.compose("down", "--volumes")
        stack.docker(
            "volume", "create", "--label", f"com.docker.compose.project={_PROJECT}",
            "--label", "com.docker.compose.volume=gars", f"{_PROJECT}_gars",
        )  # fmt: skip
        stack.docker(
            "run", "--rm", "--user", "0", "--volume", f"{_PROJECT}_gars:/var/lib/gars", "--volume", f"{home}:/from:ro",
            "--entrypoint", "sh", "gars", "-c", "cp -r /from/. /var/lib/gars && chown -R gars /var/lib/gars",
        )  # fmt: skip
        begin = time.monotonic()
        stack.up()
        print(f"all services healthy after {time.monotonic() - begin:.0f} s")
        yield stack
    finally:
        stack.client.close()
        stack.engine.close()
        stack.compose("down", "--volumes")


def _build(stack: Stack) -> None:
    """Build the images that serve, one after another; print time and size of each."""
    dockerfile = str(ROOT / "deploy" / "Dockerfile")
    contexts = {
        "gars": ["--file", dockerfile, "--target", "gars", str(ROOT)],
        "gars-web": ["--file", dockerfile, "--target", "web", str(ROOT)],
        "gars-flink": ["--file", dockerfile, "--target", "flink", str(ROOT)],
        "gars-cassandra": [str(ROOT / "deploy" / "cassandra")],
    }
    for name, context in contexts.items():
        begin = time.monotonic()
        stack.docker("build", "--quiet", "--tag", name, *context)
        print(f"{name}: {time.monotonic() - begin:.0f} s to build, {stack.image_bytes(name) / 1e6:.0f} MB")
