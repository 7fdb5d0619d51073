"""The parts of the Kafka adapter that need no broker."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gars.adapters.kafka import address, reader, records
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.stream import KafkaStream
from gars.adapters.kafka.topics import create_topics, problem
from gars.domain.errors import InvalidInputError, StorageError
from gars.domain.interaction import Interaction
from gars.testing.events import clicks, event, interactions

NO_BROKER = KafkaAddress("127.0.0.1:9")
"""Where nothing listens."""


def test_addresses() -> None:
    assert address.parse("X", "kafka://a:1") == KafkaAddress("a:1", "gars")
    two = address.parse("X", "kafka://a:1,b:2/my.site/")
    assert two == KafkaAddress("a:1,b:2", "my.site")
    assert address.parse("X", "kafka://a:1/gars?replication=3") == KafkaAddress("a:1", "gars", 3)
    assert (two.interactions, two.impressions, two.dead_letters) == (
        "my.site.interactions",
        "my.site.impressions",
        "my.site.dead-letters",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "kafka://",
        "kafka://host",
        "kafka://:1",
        "kafka://a:1,b",
        "kafka://a:x",
        "redis://a:1",
        "kafka://a:1/a b",
        "kafka://a:1/a?replication=0",
        "kafka://a:1/a?replication=x",
        "kafka://a:1/a?partitions=3",
    ],
)
def test_addresses_that_are_none(wrong: str) -> None:
    with pytest.raises(InvalidInputError, match=r"GARS_EVENT_LOG=.*: no address of a Kafka") as caught:
        address.parse("GARS_EVENT_LOG", wrong)
    assert caught.value.hint == "write kafka://HOST:PORT[,HOST:PORT…][/PREFIX][?replication=N]"


@given(interactions())
def test_records_come_back(sent: Interaction) -> None:
    packed = records.encode(sent), records.header(records.EVENT)
    assert records.decode(sent.user_id.encode(), *packed) == (sent.user_id, sent)
    assert records.decode(sent.user_id.encode(), packed[0], None) == (sent.user_id, sent)


def test_a_forget_has_no_value() -> None:
    assert records.decode(b"a", None, records.header(records.FORGET)) == ("a", None)


@pytest.mark.parametrize(
    ("key", "value", "headers", "message"),
    [
        (None, b"x", None, "there is no key"),
        (b"\xff", b"x", None, "the key is not UTF-8"),
        (b"a", None, None, "the value is no interaction"),
        (b"a", b"{}", None, "the value is no interaction"),
        (b"a", records.encode(event("b")), None, "the key is 'a' but the event is of user 'b'"),
        (b"a", None, [("kind", b"other")], "the header kind is b'other'"),
    ],
)
def test_unreadable_records(key: bytes | None, value: bytes | None, headers: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        records.decode(key, value, headers)


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=8), st.data())
def test_positions_come_back_and_grow_with_any_partition(offsets: list[int], draw: st.DataObject) -> None:
    position = reader.pack(offsets)
    assert reader.unpack(position, len(offsets)) == offsets
    partition = draw.draw(st.integers(0, len(offsets) - 1))
    further = [offset + (number == partition) for number, offset in enumerate(offsets)]
    assert reader.pack(further) > position


def test_a_position_of_another_topic() -> None:
    with pytest.raises(ValueError, match="is no position in a topic of 1 partitions"):
        reader.unpack(reader.pack([1, 2]), 1)


def test_without_a_broker_nothing_is_taken() -> None:
    with closing(KafkaEventLog(NO_BROKER, timeout_s=0.3)) as log:
        with pytest.raises(
            StorageError, match=r"Kafka at 127.0.0.1:9 did not take events for gars.interactions"
        ) as caught:
            log.append(clicks(3))
        assert caught.value.hint == "sending the same again is safe; look at the broker with: gars stack status"
        with pytest.raises(StorageError, match="did not take events"):
            log.mark_forgotten("a")
        with pytest.raises(StorageError, match=r"Kafka at 127.0.0.1:9 does not answer"):
            log.check()
        with pytest.raises(StorageError, match=r"cannot read gars.interactions of Kafka at 127.0.0.1:9"):
            list(log.read())
        with pytest.raises(StorageError, match=r"cannot read gars.interactions"):
            log.last_offset()
    with pytest.raises(StorageError, match=r"the connection to Kafka for gars.interactions is closed"):
        log.append(clicks(1))


def test_without_a_broker_there_is_nothing_to_follow() -> None:
    stream = KafkaStream(NO_BROKER, "history", timeout_s=0.3)
    assert stream.poll(timeout_s=0.2) == ([], [])
    stream.commit()  # nothing to say
    stream.close()
    stream.close()
    with pytest.raises(StorageError, match=r"the stream from gars.interactions is closed"):
        stream.poll()


def test_without_a_broker_there_are_no_topics() -> None:
    assert "Kafka at 127.0.0.1:9 does not answer" in (problem(NO_BROKER, timeout_s=0.3) or "")
    with pytest.raises(StorageError, match=r"Kafka at 127.0.0.1:9 did not create the topic gars.interactions"):
        create_topics(NO_BROKER, timeout_s=0.3)
