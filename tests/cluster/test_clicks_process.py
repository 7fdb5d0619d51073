"""The clicks service as a process over a real Kafka that dies under it: nothing acknowledged is lost."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gars.adapters.kafka.event_log import KafkaEventLog
from gars.runtime.free_ports import free_ports
from gars.stack.kafka import Kafka
from gars.stack.running import Running
from gars_test_support.patience import until
from gars_test_support.server import ServerProcess

CLICKS = [
    sys.executable, "-c", "from gars.entrypoints.cli.app import main; main()", "serve", "clicks",
    "--port", "0", "--engine-factory", "gars.testing.engine:make",
]  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, engines: Path) -> Iterator[Running]:
    """A broker of this module's own: it is killed here."""
    port, controller = free_ports(2)
    running = Running(
        Kafka(folder=tmp_path_factory.mktemp("broker"), engines=engines, port=port, controller_port=controller)
    )
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="module")
def clicks(broker: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    assert isinstance(broker.engine, Kafka)
    server = ServerProcess(
        CLICKS,
        environment={
            "GARS_EVENT_LOG": broker.engine.url,
            "GARS_HOME": str(tmp_path_factory.mktemp("home")),
            "GARS_BUSY_TIMEOUT_MS": "2000",
        },
    )
    with httpx.Client(base_url=server.address, timeout=60) as client:
        yield client
    assert server.stop() == 0, server.output


def click(client: httpx.Client, event_id: str) -> httpx.Response:
    body = {"user_id": event_id[:2], "anime_id": 1, "kind": "click", "event_id": event_id}
    return client.post("/api/v1/interactions", json=body)


def event_ids_in(broker: Running) -> list[str]:
    assert isinstance(broker.engine, Kafka)
    with closing(KafkaEventLog(broker.engine.address)) as log:
        return [event.event_id for _, event in log.read()]


def test_an_acknowledged_click_is_in_the_log(clicks: httpx.Client, broker: Running) -> None:
    answer = clicks.post("/clicks", json={"user_id": "7", "anime_id": 1})
    assert answer.status_code == 202
    assert answer.json()["accepted"][0] in event_ids_in(broker)
    assert clicks.get("/api/v1/health/ready").json()["checks"] == {"log": "ok"}


def test_a_broker_that_is_away_accepts_nothing_and_comes_back(clicks: httpx.Client, broker: Running) -> None:
    broker.daemon("kafka").kill()
    answer = click(clicks, uuid.uuid4().hex)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "did not take events" in answer.json()["error"]["message"]
    assert clicks.get("/api/v1/health/ready").status_code == 503
    broker.up()
    again = uuid.uuid4().hex
    until(lambda: click(clicks, again).status_code == 202)
    assert again in event_ids_in(broker)


def test_sigkill_of_the_broker_under_load_loses_nothing_acknowledged(clicks: httpx.Client, broker: Running) -> None:
    acknowledged: list[str] = []
    answers: set[int] = set()
    enough, stop = threading.Event(), threading.Event()

    def send() -> None:
        with httpx.Client(base_url=clicks.base_url, timeout=60) as own:
            while not stop.is_set():
                event_id = uuid.uuid4().hex
                status = click(own, event_id).status_code
                answers.add(status)
                if status == 202:
                    acknowledged.append(event_id)
                if len(acknowledged) > 200:
                    enough.set()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        assert enough.wait(120)
        broker.daemon("kafka").kill()
        until(lambda: 503 in answers)
        broker.up()
        before = len(acknowledged)
        until(lambda: len(acknowledged) > before + 50)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert answers <= {202, 503}
    assert set(acknowledged) <= set(event_ids_in(broker))
