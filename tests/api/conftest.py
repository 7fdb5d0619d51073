"""The app in process with the double of the model, and one real server for what needs a socket."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from litestar.testing import TestClient

from gars.application.catalogue.about import About, Coverage, SourceLicence
from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.domain.history import Rating
from gars.entrypoints.api.app import create_app
from gars.testing.engine import FakeEngine
from gars_test_support.server import ServerProcess

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
def of_2001(tmp_path: Path, engine: FakeEngine) -> Iterator[TestClient]:  # type: ignore[type-arg]
    """A service whose model learned from ratings up to the year 2000."""
    coverage = Coverage(
        titles=120, titles_to="2016-summer", ratings=9, users=5, ratings_from=1999, ratings_to=2015, years_of="titles",
        rated_until=date(2001, 1, 1), sources=(SourceLicence("mal-2016-sample", "CC0"),),
    )  # fmt: skip
    about = About(model_version="fake-1", coverage=coverage)
    opened = open_service(from_environment({}, home=tmp_path / "of-2001"), engine, about=about)
    with TestClient(create_app(opened), raise_server_exceptions=False) as client:
        yield client
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
