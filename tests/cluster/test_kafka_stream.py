"""Workers that follow the topics: nothing is lost between poll and commit, nothing unreadable vanishes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Message, Producer

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.impression_log import KafkaImpressionSink
from gars.adapters.kafka.stream import KafkaStream
from gars.adapters.kafka.topics import create_topics
from gars.application.ports import Logged
from gars.domain.impression import Impression
from gars.stack.kafka import Kafka
from gars.testing.contracts.impression_log import impression
from gars.testing.events import clicks, event
from gars_test_support.patience import until


@pytest.fixture
def address(kafka: Kafka) -> KafkaAddress:
    """Topics of this test alone."""
    own = KafkaAddress(kafka.address.bootstrap_servers, f"t-{uuid.uuid4().hex[:12]}")
    create_topics(own)
    return own


@pytest.fixture
def log(address: KafkaAddress) -> Iterator[KafkaEventLog]:
    with closing(KafkaEventLog(address)) as opened:
        yield opened


def polled(stream: KafkaStream, count: int) -> tuple[list[Logged], list[Impression]]:
    """Poll until there are as many records."""
    events: list[Logged] = []
    impressions: list[Impression] = []

    def enough() -> bool:
        more, shown = stream.poll()
        events.extend(more)
        impressions.extend(shown)
        return len(events) + len(impressions) >= count

    until(enough)
    return events, impressions


def test_what_was_not_committed_comes_again(address: KafkaAddress, log: KafkaEventLog) -> None:
    log.append(clicks(5))
    with closing(KafkaStream(address, "history")) as stream:
        first, _ = polled(stream, 5)
        stream.commit()
        log.append([event(event_id="later")])
        later, _ = polled(stream, 1)
    assert [one.event for one in first] == clicks(5)
    with closing(KafkaStream(address, "history")) as stream:
        again, _ = polled(stream, 1)
        assert stream.lag() == 0
    assert [one.event for one in again] == [one.event for one in later] == [event(event_id="later")]


def test_a_forget_keeps_its_place(address: KafkaAddress, log: KafkaEventLog) -> None:
    offsets = log.append(clicks(2, user_id="a"))
    offsets.append(log.mark_forgotten("a"))
    offsets += log.append([event("a", event_id="later")])
    with closing(KafkaStream(address, "history")) as stream:
        seen, _ = polled(stream, 4)
    assert [one.offset for one in seen] == offsets
    assert [one.event and one.event.event_id for one in seen] == [
        *(one.event_id for one in clicks(2, user_id="a")),
        None,
        "later",
    ]
    assert [(one.user_id, one.offset) for one in log.scan()] == [("a", offset) for offset in offsets]


def test_impressions_come_along(address: KafkaAddress) -> None:
    shown = [impression("r1", user_id="a"), impression("r2", user_id="a")]
    with closing(KafkaImpressionSink(address)) as sink, closing(KafkaStream(address, "h", impressions=True)) as stream:
        sink.append(shown)
        assert polled(stream, 2) == ([], shown)


@pytest.mark.parametrize(
    ("key", "value", "headers", "reason"),
    [
        (None, b"x", {}, "there is no key: the record belongs to no user"),
        (b"a", b"\xff", {}, "the value is no interaction: "),
        (b"a", b"", {"kind": b"stranger"}, "the header kind is b'stranger', not 'event' or 'forget'"),
    ],
)
def test_unreadable_record_is_kept_with_its_reason(
    address: KafkaAddress,
    log: KafkaEventLog,
    caplog: pytest.LogCaptureFixture,
    key: bytes | None,
    value: bytes,
    headers: dict[str, bytes],
    reason: str,
) -> None:
    stranger = Producer({"bootstrap.servers": address.bootstrap_servers})
    stranger.produce(address.interactions, key=key, value=value, headers=dict(headers))
    assert stranger.flush(30) == 0
    log.append([event(event_id="good")])
    with closing(KafkaStream(address, "history")) as stream:
        seen, _ = polled(stream, 1)
        until(lambda: stream.poll() == ([], []))
    assert [one.event for one in seen] == [event(event_id="good")]

    consumer = Consumer(
        {"bootstrap.servers": address.bootstrap_servers, "group.id": "letters", "auto.offset.reset": "earliest"}
    )
    with closing(consumer):
        consumer.subscribe([address.dead_letters])
        letters: list[Message] = []

        def arrived() -> bool:
            letters.extend(one for one in [consumer.poll(0.2)] if one is not None and one.error() is None)
            return bool(letters)

        until(arrived)
    (letter,) = letters
    fields = {
        name: bytes(text).decode() for name, text in dict(letter.headers() or {}).items() if isinstance(text, bytes)
    }
    assert letter.value() == value
    assert fields["reason"].startswith(reason)
    assert fields["where"] == "history"
    assert fields["from"].startswith(f"{address.interactions}/")

    caplog.clear()
    assert [one.event_id for _, one in log.read()] == ["good"]
    (warning,) = caplog.messages
    assert warning.startswith(f"passed over {address.interactions}/")
    assert reason in warning
