"""The app in process with the double of the model, and one real server for what needs a socket."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.domain.history import Rating
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine
from gars.testing.server import ServerProcess

SERVE = "import typer; from gars.entrypoints.cli.serve import serve; typer.run(serve)"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(users={"twin": [Rating(1, 9), Rating(1535, 8)], "far": [Rating(150, 4)]})


@pytest.fixture
def service(tmp_path: Path, engine: FakeEngine) -> Iterator[Service]:
    opened = open_service(from_environment({"GARS_BUSY_TIMEOUT_MS": "50"}, home=tmp_path), engine)
    yield opened
    opened.close()


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:  # type: ignore[type-arg]
    with TestClient(create_app(service), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-c", SERVE, "--home", str(home), "--port", "0"]
    running = ServerProcess([*command, "--engine-factory", "gars.testing.engine:make"])
    yield running
    assert running.stop() == 0, running.output
