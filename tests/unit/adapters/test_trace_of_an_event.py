"""One trace for a click: request, Kafka record, feature job, Redis; the history worker continues it too."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from litestar.testing import TestClient

from gars.adapters.flink.records import Write
from gars.adapters.kafka import producer, stream
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.stream import KafkaStream
from gars.adapters.redis.state_writer import StateWrite, StateWriter
from gars.application.catalogue.about import About
from gars.bootstrap.collector import collecting
from gars.config import from_environment
from gars.domain.errors import StorageError
from gars.entrypoints.clicks.app import create_app
from gars.entrypoints.edge.traces import TracedApp
from gars.runtime import tracing
from gars.testing.engine import FakeEngine
from gars.testing.events import clicks
from gars_test_support.traces import Spans, recorded_spans

TOPIC = "gars.interactions"
USER = "reader-4711"


def traceparent(number: int) -> str:
    """Return the header of a trace of this number, which is recorded."""
    return f"00-{number:032x}-{1:016x}-01"


class Broker:
    """In place of Kafka's producer and consumer: keeps what is sent, and delivers it."""

    def __init__(self) -> None:
        self.records: list[MagicMock] = []
        self.is_away = False

    def producer(self, _settings: object) -> MagicMock:
        def produce(topic: str, *, key: bytes, value: bytes, headers: list[Any], on_delivery: Any) -> None:
            message = MagicMock()
            message.topic.return_value, message.partition.return_value = topic, 0
            message.offset.return_value = len(self.records)
            message.key.return_value, message.value.return_value = key, value
            message.headers.return_value, message.error.return_value = headers, None
            error = MagicMock() if self.is_away else None
            if error is None:
                self.records.append(message)
            else:
                error.fatal.return_value = False
            on_delivery(error, message)

        return MagicMock(produce=produce)

    def consumer(self, _settings: object) -> MagicMock:
        waiting = self.records.copy()

        def poll(_timeout_s: float) -> MagicMock | None:
            return waiting.pop(0) if waiting else None

        return MagicMock(poll=poll, consume=MagicMock(return_value=[]))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(producer, "Producer", made.producer)
    monkeypatch.setattr(stream, "Consumer", made.consumer)
    return made


@pytest.fixture
def spans() -> Iterator[Spans]:
    with recorded_spans() as recorded:
        yield recorded


@pytest.fixture
def click(tmp_path: Path, broker: Broker) -> Any:
    """Send one click through the routes of the clicks service."""

    def send() -> int:
        log = KafkaEventLog(KafkaAddress("127.0.0.1:9"))
        running = collecting(
            from_environment({}, home=tmp_path), FakeEngine().anime, About(model_version="fake-1"), log=log
        )
        with TestClient(TracedApp(create_app(running), trusted_proxies=())) as client:
            status = client.post("/clicks", json={"user_id": USER, "anime_id": 1}).status_code
        running.current.close()
        return status

    return send


@pytest.fixture
def fold_events(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import the operator without Flink, of which it uses base classes and types alone."""
    for name in ("", ".common", ".datastream", ".datastream.functions", ".datastream.state"):
        module = cast(Any, ModuleType(f"pyflink{name}"))
        module.__getattr__ = lambda wanted: type(wanted, (), {}) if wanted.endswith("Function") else MagicMock()
        monkeypatch.setitem(sys.modules, f"pyflink{name}", module)
    monkeypatch.delitem(sys.modules, "gars.adapters.flink.operators", raising=False)
    from gars.adapters.flink.operators import FoldEvents

    yield FoldEvents
    sys.modules.pop("gars.adapters.flink.operators", None)


class Store:
    """The online store of the job, over a double of Redis' client."""

    def __init__(self) -> None:
        client = MagicMock()
        client.hmget.return_value = [b"k" * 32, b"digest", b"plain"]
        client.eval.return_value = [b"digest", b"k" * 32]
        self.pipeline = client.pipeline.return_value
        self.pipeline.execute.return_value = [2]
        self._writer = StateWriter(client, "redis://127.0.0.1:9/0")

    def write(self, write: Write) -> None:
        self._writer.write([StateWrite(write.user_id, write.version, write.state, write.changes, write.offset)])

    def read(self, _user_id: str) -> None:
        return None


def processed(fold_events: Any, store: Store, headers: dict[str, bytes], record: MagicMock) -> None:
    """Process a record as the row that Flink's SQL makes of it."""
    operator = fold_events(lambda: store, TOPIC)
    context = MagicMock()
    context.get_state.return_value.value.return_value = None
    operator.open(context)
    traceparent = headers["traceparent"].decode() if "traceparent" in headers else None
    row = (headers["kind"].decode(), record.key(), record.value(), 0, 4, 1000, traceparent)
    list(operator.process_element(row, None))


def test_a_click_is_one_trace_to_redis(click: Any, broker: Broker, fold_events: Any, spans: Spans) -> None:
    assert click() == 202
    (record,) = broker.records
    headers = dict(record.headers())
    sent = spans.named(f"{TOPIC} send")
    assert sent.kind.name == "PRODUCER"
    assert sent.context is not None
    assert headers["kind"] == b"event"
    assert headers["traceparent"].decode().split("-")[2] == f"{sent.context.span_id:016x}"
    store = Store()
    processed(fold_events, store, headers, record)
    assert store.pipeline.execute_command.called
    assert len(spans.trace_ids()) == 1
    assert spans.parent_of("redis write state") == f"{TOPIC} process"
    assert spans.parent_of(f"{TOPIC} process") == f"{TOPIC} send"
    assert spans.parent_of(f"{TOPIC} send") == "POST /clicks"
    assert spans.parent_of("POST /clicks") is None
    assert USER not in spans.written()
    assert tracing.current() is None


def test_the_history_worker_continues_the_trace(click: Any, broker: Broker, spans: Spans) -> None:
    click()
    with closing(KafkaStream(KafkaAddress("127.0.0.1:9"), "history")) as following:
        assert len(following.poll(timeout_s=5)[0]) == 1
        assert f"{TOPIC} process" not in [span.name for span in spans.all()]  # until it is committed
        following.commit()
        assert spans.parent_of(f"{TOPIC} process") == f"{TOPIC} send"
        assert spans.named(f"{TOPIC} process").status.status_code.name == "UNSET"


def test_a_record_that_is_not_committed_is_an_error(click: Any, broker: Broker, spans: Spans) -> None:
    click()
    with closing(KafkaStream(KafkaAddress("127.0.0.1:9"), "history")) as following:
        following.poll(timeout_s=5)
    assert spans.named(f"{TOPIC} process").status.status_code.name == "ERROR"


def test_records_of_one_group_continue_the_traces_of_their_callers(broker: Broker, spans: Spans) -> None:
    events = clicks(3)
    first, second = (tracing.begin("request", parent={"traceparent": traceparent(number)}) for number in (1, 2))
    assert first is not None
    assert second is not None
    keys = [(one.user_id, one.event_id) for one in events]
    callers: dict[Hashable, tracing.Span] = {keys[0]: first, keys[2]: second}
    with closing(KafkaEventLog(KafkaAddress("127.0.0.1:9"))) as log, tracing.on_behalf_of(callers):
        log.append(events)
    found = [dict(record.headers()).get("traceparent", b"").decode()[3:35] for record in broker.records]
    assert found == [f"{1:032x}", "", f"{2:032x}"]


def test_a_write_that_fails_is_an_error_of_its_span(broker: Broker, spans: Spans) -> None:
    broker.is_away = True
    (event,) = clicks(1)
    with (
        closing(KafkaEventLog(KafkaAddress("127.0.0.1:9"))) as log,
        tracing.spanning("request", parent={"traceparent": traceparent(1)}),
        pytest.raises(StorageError),
    ):
        log.append([event])
    sent = spans.named(f"{TOPIC} send")
    assert sent.attributes is not None
    assert sent.attributes["error.type"] == "StorageError"


def test_without_a_tracer_records_stay_as_they_are(click: Any, broker: Broker, fold_events: Any) -> None:
    assert click() == 202
    (record,) = broker.records
    assert record.headers() == [("kind", b"event")]
    processed(fold_events, Store(), {"kind": b"event", "traceparent": traceparent(1).encode()}, record)
