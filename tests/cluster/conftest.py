"""Real engines for these tests: each started once a session, by the launcher's own code, in a folder of its own.

An engine that cannot be started is a failure here, never a skip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gars.entrypoints.stack.engine import Engine
from gars.entrypoints.stack.kafka import Kafka
from gars.entrypoints.stack.ports import free_ports
from gars.entrypoints.stack.running import Running


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def engines() -> Path:
    """Where jars and virtual environments of engines are kept from one session to the next."""
    return Path(os.environ.get("GARS_ENGINES") or Path.home() / ".cache" / "gars" / "engines")


def _up(engine: Engine) -> Iterator[Running]:
    running = Running(engine)
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="session")
def kafka_running(tmp_path_factory: pytest.TempPathFactory, engines: Path) -> Iterator[Running]:
    """The broker as a process: for tests that stop or kill it."""
    port, controller = free_ports(2)
    yield from _up(
        Kafka(folder=tmp_path_factory.mktemp("kafka"), engines=engines, port=port, controller_port=controller)
    )


@pytest.fixture(scope="session")
def kafka(kafka_running: Running) -> Kafka:
    """A Kafka with GARS' topics; ``url`` is its address. Take a prefix of your own to begin with empty topics."""
    assert isinstance(kafka_running.engine, Kafka)
    return kafka_running.engine
