"""Reads a topic from a position to its end, partition by partition, always in the same order.

A position in a topic of many partitions is one number: the next offset of each, packed. Reading on in any partition
makes the number grow, so positions of one reading are ascending.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from gars.adapters.kafka.address import KafkaAddress
from gars.domain.errors import StorageError

_BATCH = 1000
_WAIT_S = 0.2
_BITS = 63
_MASK = (1 << _BITS) - 1


def pack(next_offsets: Sequence[int]) -> int:
    """Next offset of each partition, in order of partitions → position."""
    return sum(offset << (_BITS * number) for number, offset in enumerate(next_offsets))


def unpack(position: int, partitions: int) -> list[int]:
    """Position → next offset of each partition; raises ``ValueError`` if it is of a topic with more partitions."""
    if position < 0 or position >> (_BITS * partitions):
        raise ValueError(f"{position} is no position in a topic of {partitions} partitions")
    return [(position >> (_BITS * number)) & _MASK for number in range(partitions)]


class TopicReader:
    """Reads without a consumer group: no offsets are stored in the broker."""

    def __init__(self, address: KafkaAddress, topic: str, *, timeout_s: float) -> None:
        self._address = address
        self._topic = topic
        self._timeout_s = timeout_s

    def end(self) -> int:
        """Return the position after the newest record."""
        with self._consumer() as consumer:
            return pack([high for _, high in self._watermarks(consumer)])

    def gone(self) -> int:
        """Return the number of oldest records removed by retention."""
        with self._consumer() as consumer:
            return sum(low for low, _ in self._watermarks(consumer))

    def read(self, *, after: int) -> Iterator[tuple[int, Message]]:
        """Yield records from after a position to the current end, each with the position after it.

        Raises:
            StorageError: the broker does not answer, or records after the position are gone.
        """
        with self._consumer() as consumer:
            marks = self._watermarks(consumer)
            following = self._start(after, marks)
            for partition, (_, high) in enumerate(marks):
                if following[partition] >= high:
                    continue
                consumer.assign([TopicPartition(self._topic, partition, following[partition])])
                for message in self._until(consumer, partition, following[partition], high):
                    following[partition] = int(message.offset() or 0) + 1
                    yield pack(following), message

    def _start(self, after: int, marks: list[tuple[int, int]]) -> list[int]:
        try:
            start_offsets = unpack(after, len(marks))
        except ValueError as error:
            raise StorageError(f"{self._topic}: {error}", hint="the topic is another one: replay it whole") from error
        for partition, ((low, _), offset) in enumerate(zip(marks, start_offsets, strict=True)):
            if after and offset < low:
                raise StorageError(
                    f"partition {partition} of {self._topic} begins at {low}, and {offset} was to be read next: "
                    f"{low - offset} record(s) are gone",
                    hint="the topic's retention is shorter than the reader was away: replay from the history",
                )
        return [max(low, offset) for (low, _), offset in zip(marks, start_offsets, strict=True)]

    def _until(self, consumer: Consumer, partition: int, following: int, high: int) -> Iterator[Message]:
        """Records of the assigned partition from ``following`` to below ``high``; gaps are passed over."""
        answered_s = time.monotonic()
        n_remaining = high - following
        while True:
            for message in consumer.consume(max(1, min(_BATCH, n_remaining)), timeout=_WAIT_S):
                answered_s = time.monotonic()
                if (error := message.error()) is not None:
                    if error.code() == KafkaError._PARTITION_EOF:
                        return
                    raise self._failed(error)
                if int(message.offset() or 0) >= high:
                    return
                yield message
                n_remaining = high - int(message.offset() or 0) - 1
                if n_remaining <= 0:
                    return
            if time.monotonic() - answered_s > self._timeout_s:
                raise StorageError(
                    f"Kafka at {self._address.bootstrap_servers} gives no records of partition {partition} of "
                    f"{self._topic} for {self._timeout_s:.0f} s",
                    hint="look at the broker with: gars stack status",
                )

    def _watermarks(self, consumer: Consumer) -> list[tuple[int, int]]:
        """First and next offset of each partition."""
        end = time.monotonic() + self._timeout_s
        while True:
            try:
                topic = consumer.list_topics(self._topic, timeout=self._timeout_s).topics[self._topic]
                if topic.error is not None:
                    raise KafkaException(topic.error)
                found = [
                    consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=self._timeout_s)
                    for partition in sorted(topic.partitions)
                ]
                return [(int(low), int(high)) for low, high in found]
            except (KafkaException, TypeError) as error:  # None in place of a pair: no answer in time
                if time.monotonic() > end:  # until then a partition may be on its way to another leader
                    cause = error.args[0] if isinstance(error, KafkaException) else KafkaError(KafkaError._TIMED_OUT)
                    raise self._failed(cause) from error
                time.sleep(_WAIT_S)

    def _failed(self, error: KafkaError) -> StorageError:
        return StorageError(
            f"cannot read {self._topic} of Kafka at {self._address.bootstrap_servers}: {error.str()}",
            hint="look at the broker with: gars stack status",
        )

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = Consumer(
            {
                "bootstrap.servers": self._address.bootstrap_servers,
                "group.id": f"{self._topic}-reader",  # the client insists on one; nothing is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "socket.timeout.ms": max(1000, round(self._timeout_s * 1000)),
                "log_level": 0,
            }
        )
        try:
            yield consumer
        finally:
            consumer.close()
