"""Consumes topics as a member of a consumer group, at least once, for workers that write the records elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from gars.adapters.kafka import records
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.dead_letters import DeadLetters
from gars.adapters.kafka.spans import ReceivedSpans
from gars.application.ports import Logged
from gars.domain.errors import StorageError
from gars.domain.impression import Impression
from gars.domain.impression_codec import ImpressionCodec

logger = logging.getLogger(__name__)

_TRANSIENT = frozenset({KafkaError._PARTITION_EOF, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._TRANSPORT})


class KafkaStream:
    """Uncommitted interactions, and optionally impressions, of the consumer group ``name``.

    One thread polls, writes and commits. Members of the same name share the partitions; records that were polled and
    not committed are consumed again by the member that takes over.
    """

    def __init__(self, address: KafkaAddress, name: str, *, impressions: bool = False, timeout_s: float = 5.0) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._dead_letters = DeadLetters(address, where=name, timeout_s=timeout_s)
        self._impressions = ImpressionCodec()
        self._next: dict[tuple[str, int], int] = {}
        self._spans = ReceivedSpans()
        self.gone = 0
        """Records removed by retention before this group consumed them."""
        self._consumer: Consumer | None = Consumer(
            {
                "bootstrap.servers": address.bootstrap_servers,
                "group.id": f"{address.prefix}-{name}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": 10_000,
                "log_level": 0,
            }
        )
        topics = [address.interactions, *([address.impressions] if impressions else [])]
        self._consumer.subscribe(topics, on_assign=self._count_gone)

    def poll(self, *, limit: int = 1000, timeout_s: float = 0.5) -> tuple[list[Logged], list[Impression]]:
        """Return the next records, each user's in order; empty lists after the timeout.

        An undecodable record goes to the dead letters and is skipped.

        Raises:
            StorageError: the broker refuses, or the dead letters cannot be written.
        """
        events: list[Logged] = []
        impressions: list[Impression] = []
        for message in self._messages(limit, timeout_s):
            self._spans.add(message)
            topic, partition, offset = str(message.topic()), int(message.partition() or 0), int(message.offset() or 0)
            try:
                if topic == self._address.impressions:
                    impressions.append(self._impression(message))
                else:
                    user_id, event = records.decode(message.key(), message.value(), message.headers())
                    events.append(Logged(user_id, offset + 1, event, position=0))
            except ValueError as error:
                self._dead_letters.put(message, str(error))
            self._next[topic, partition] = offset + 1
        return events, impressions

    def commit(self) -> None:
        """Commit the records polled so far; raises ``StorageError``: then they are consumed again."""
        if not self._next:
            return
        done = [TopicPartition(topic, partition, offset) for (topic, partition), offset in self._next.items()]
        try:
            self._open().commit(offsets=done, asynchronous=False)
        except KafkaException as error:
            raise self._failed(error.args[0]) from error
        self._next.clear()
        self._spans.end()

    def lag(self) -> int:
        """Return the number of fetched records not polled yet; raises ``StorageError``."""
        consumer = self._open()
        try:
            waiting = 0
            for one in consumer.position(consumer.assignment()):
                low, high = consumer.get_watermark_offsets(one, timeout=self._timeout_s)
                waiting += int(high) - (one.offset if one.offset >= 0 else int(low))
            return waiting
        except (KafkaException, TypeError) as error:
            cause = error.args[0] if isinstance(error, KafkaException) else KafkaError(KafkaError._TIMED_OUT)
            raise self._failed(cause) from error

    def close(self) -> None:
        """Leave the group; a second call does nothing."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
            self._spans.end("not committed")
            self._dead_letters.close()

    def _messages(self, limit: int, timeout_s: float) -> Sequence[Message]:
        """Wait for the first record, then take those available."""
        consumer = self._open()
        end = time.monotonic() + timeout_s
        found: list[Message] = []
        while not found and (remaining_s := end - time.monotonic()) > 0:
            first = consumer.poll(remaining_s)
            for message in [*([first] if first is not None else []), *consumer.consume(limit - 1, timeout=0)]:
                if (error := message.error()) is None:
                    found.append(message)
                elif error.code() not in _TRANSIENT and not error.retriable():
                    raise self._failed(error)
        return found

    def _count_gone(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        """Count records lost to retention; Kafka itself continues at the oldest record without an error."""
        try:
            for one in consumer.committed(assigned, timeout=self._timeout_s):
                low, _ = consumer.get_watermark_offsets(one, timeout=self._timeout_s)
                if 0 <= one.offset < low:
                    self.gone += int(low) - one.offset
                    logger.error(
                        "%d record(s) of %s/%d are lost: Kafka let go of them (GARS_LOG_DAYS) before they were read",
                        int(low) - one.offset, one.topic, one.partition,
                    )  # fmt: skip
        except (KafkaException, TypeError) as error:
            logger.warning("cannot tell whether records are gone: %s", error)

    def _impression(self, message: Message) -> Impression:
        value = message.value() or b""
        try:
            return self._impressions.decode(value)
        except ValueError as error:
            raise ValueError(f"the value is no impression: {error}") from error

    def _open(self) -> Consumer:
        if self._consumer is None:
            raise StorageError(f"the stream from {self._address.interactions} is closed")
        return self._consumer

    def _failed(self, error: KafkaError) -> StorageError:
        return StorageError(
            f"cannot follow {self._address.interactions} of Kafka at {self._address.bootstrap_servers}: {error.str()}",
            hint="look at the broker with: gars stack status",
        )
