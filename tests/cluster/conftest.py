"""Real engines for these tests: each started once a session, by the launcher's own code, in a folder of its own.

An engine that cannot be started is a failure here, never a skip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.topics import create_topics
from gars.runtime.free_ports import free_ports
from gars.stack.cassandra import Cassandra
from gars.stack.engine import Engine
from gars.stack.flink import Flink
from gars.stack.kafka import Kafka
from gars.stack.redis import Redis
from gars.stack.running import Running


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


@pytest.fixture(scope="session")
def redis_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The server as a process: for tests that stop or kill it."""
    (port,) = free_ports(1)
    yield from _up(Redis(folder=tmp_path_factory.mktemp("redis"), port=port))


@pytest.fixture(scope="session")
def redis_address(redis_running: Running) -> str:
    """The address of a Redis. Take a prefix of your own to begin empty."""
    assert isinstance(redis_running.engine, Redis)
    return redis_running.engine.url


@pytest.fixture(scope="session")
def cassandra_running(tmp_path_factory: pytest.TempPathFactory, engines: Path) -> Iterator[Running]:
    """The node as a process: for tests that stop or kill it."""
    port, storage, jmx = free_ports(3)
    folder = tmp_path_factory.mktemp("cassandra")
    yield from _up(Cassandra(folder=folder, engines=engines, port=port, storage_port=storage, jmx_port=jmx))


@pytest.fixture(scope="session")
def cassandra(cassandra_running: Running) -> Cassandra:
    """A Cassandra with GARS' tables. Take a keyspace of your own to begin empty."""
    assert isinstance(cassandra_running.engine, Cassandra)
    return cassandra_running.engine


@pytest.fixture(scope="session")
def flink_running(
    tmp_path_factory: pytest.TempPathFactory, engines: Path, kafka: Kafka, redis_address: str
) -> Iterator[Running]:
    """The feature job on topics and keys of its own, both with the prefix ``features``."""
    port, rpc = free_ports(2)
    address = KafkaAddress(kafka.address.bootstrap_servers, "features")
    create_topics(address)
    folder = tmp_path_factory.mktemp("flink")
    yield from _up(
        Flink(
            folder=folder,
            engines=engines,
            kafka=address,
            redis=redis_address,
            redis_prefix=address.prefix,
            port=port,
            rpc_port=rpc,
            settings={"execution.checkpointing.interval": "1 s"},
        )
    )
