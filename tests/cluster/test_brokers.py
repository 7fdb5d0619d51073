"""Three brokers that hold each record: the leader of a partition is killed under load, and nothing stops or is lost."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from gars.adapters.kafka.address import parse
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.topics import create_topics
from gars.application.events.replay import from_log
from gars.runtime.free_ports import free_ports
from gars.stack.kafka import Kafka
from gars.stack.running import Running
from gars_test_support import patience
from gars_test_support.load import Load
from gars_test_support.server import ServerProcess

BROKERS = 3
USERS = [f"fan-{number}" for number in range(16)]
QUICK = {
    # another leader after three seconds in place of nine
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # replicas are what is trusted here
    "log.flush.interval.messages": str(2**63 - 1),
}

until = partial(patience.until, within_s=120)


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory, engines: Path) -> Iterator[dict[int, Running]]:
    """Three of them by their ``node.id``, each a controller too, so that any one of them may be away."""
    ports = free_ports(2 * BROKERS)
    voters = ",".join(f"{1 + number}@127.0.0.1:{ports[2 * number + 1]}" for number in range(BROKERS))

    def one(number: int) -> Running:
        own = {"node.id": str(1 + number), "controller.quorum.voters": voters}
        return Running(
            Broker(
                folder=tmp_path_factory.mktemp("kafka"),
                engines=engines,
                port=ports[2 * number],
                controller_port=ports[2 * number + 1],
                heap_mb=256,
                settings={**QUICK, **own},
            )
        )

    made = {1 + number: one(number) for number in range(BROKERS)}
    try:
        with ThreadPoolExecutor(BROKERS) as threads:  # none is well before most of them are there
            list(threads.map(Running.up, made.values()))
        yield made
    finally:
        for running in made.values():  # asked to stop, the last ones would wait for those they lead together with
            running.daemon("kafka").kill()
            running.down()


class Broker(Kafka):
    """One of several: no topic of one copy is made on it."""

    def finish(self) -> None:
        pass


@pytest.fixture
def log_address(brokers: dict[int, Running]) -> str:
    servers = ",".join(_engine(one).address.bootstrap_servers for one in brokers.values())
    return f"kafka://{servers}/replicated?replication={BROKERS}"


@pytest.fixture
def api(log_address: str, redis_address: str, tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "gars.entrypoints.cli", "serve", "--engine-factory", "gars.testing.engine:make"]
    addresses = {
        "GARS_EVENT_LOG": log_address,
        "GARS_IMPRESSIONS": log_address,
        "GARS_STATE_STORE": redis_address,
        "GARS_CHANGE_FEED": redis_address,
        "GARS_HISTORY": "cassandra://127.0.0.1:9/gars",  # away, as lists and clicks do not need it
    }
    create_topics(parse("GARS_EVENT_LOG", log_address), timeout_s=30)
    server = ServerProcess([*command, "--home", str(tmp_path), "--port", "0"], environment=addresses)
    yield server.address
    assert server.stop() == 0, server.output


def test_the_leader_is_killed_under_load(brokers: dict[int, Running], log_address: str, api: str) -> None:
    address = parse("GARS_EVENT_LOG", log_address)
    leaders = _leaders(log_address)
    killed = min(leaders)
    assert len(leaders) == BROKERS  # partitions are spread, so that every user's click may meet the dead one
    load = Load([api, api], api, USERS)
    try:
        _goes_on(load, "the start")
        brokers[killed].daemon("kafka").kill()
        _goes_on(load, "a broker was killed")  # with one of three away
        until(lambda: killed not in _leaders(log_address), "other leaders")
        brokers[killed].up()
        _goes_on(load, "it came back")
    finally:
        load.stop()
    print(f"{sum(load.counts.values())} clicks, refused {dict(load.refused)}; answers {dict(load.answers)}, "
          f"slowest list {load.slowest_s:.1f} s")  # fmt: skip
    assert set(load.answers) == {200}, load.answers
    with closing(KafkaEventLog(address, timeout_s=60)) as log:
        found = Counter((event.user_id, event.event_id) for _, event in log.read())
        states = {one.user_id: one.state for one in from_log(log.scan(), lambda _: None)}
    acknowledged = {(user, event_id) for user, ids in load.acknowledged.items() for event_id in ids}
    assert acknowledged <= set(found)
    # one that was sent again, having got no answer, may be in the log twice; it counts once
    assert sum(found.values()) - len(acknowledged) <= sum(load.refused.values()) + len(USERS)
    distinct = Counter(user for user, _ in found)
    assert {user: state.version for user, state in states.items() if state is not None} == distinct


def _goes_on(load: Load, what: str) -> None:
    before = load.counts
    until(lambda: all(load.counts[user] > before[user] for user in USERS), f"clicks to be taken after {what}")


def _leaders(log_address: str) -> set[int]:
    address = parse("GARS_EVENT_LOG", log_address)
    admin = AdminClient({"bootstrap.servers": address.bootstrap_servers, "log_level": 0})
    topic = admin.list_topics(address.interactions, timeout=30).topics[address.interactions]
    return {one.leader for one in topic.partitions.values()}


def _engine(running: Running) -> Kafka:
    assert isinstance(running.engine, Kafka)
    return running.engine
