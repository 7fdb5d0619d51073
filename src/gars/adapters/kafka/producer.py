"""A synchronous producer: ``send`` returns when the brokers have all records; acks=all, idempotent, keyed by user."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.records import Headers
from gars.domain.errors import StorageError

_POLL_S = 0.05
_SLACK_S = 5.0
"""Time (s) added to the client's own timeout before it is considered stuck."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send."""

    key: str
    value: bytes | None
    headers: Headers


class _Delivery:
    """Delivery reports of the records of one ``send``."""

    def __init__(self, count: int) -> None:
        self.offsets = [0] * count
        self.missing = count
        self.error: KafkaError | None = None

    def report(self, number: int, error: KafkaError | None, message: Message) -> None:
        self.missing -= 1
        if error is not None:
            self.error = self.error or error
        else:
            self.offsets[number] = int(message.offset() or 0) + 1


class SyncProducer:
    """Sends records to one topic; any thread may call."""

    def __init__(self, address: KafkaAddress, topic: str, *, timeout_s: float) -> None:
        self._address = address
        self._topic = topic
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._closed = False
        self._producer: Producer | None = None

    def send(self, records: Sequence[Outgoing]) -> list[int]:
        """Send records to the brokers and wait for all of them. → the offset of each in its partition, from 1

        Calls are serialised: the records of a key are in the order of the calls.

        Raises:
            StorageError: not every record was delivered; some may have been.
        """
        with self._lock:
            producer = self._open()
            delivery = _Delivery(len(records))
            end = time.monotonic() + self._timeout_s + _SLACK_S
            for number, record in enumerate(records):
                self._produce(producer, record, number, delivery, end)
            while delivery.missing and time.monotonic() < end:
                producer.poll(_POLL_S)
            if delivery.missing or delivery.error is not None:
                raise self._failed(producer, delivery.error)
            return delivery.offsets

    def problem(self) -> str | None:
        """Return the reason why the topic cannot be written; ``None`` if every partition has a leader."""
        try:
            with self._lock:
                producer = self._open()
            topic = producer.list_topics(self._topic, timeout=self._timeout_s).topics[self._topic]
        except (KafkaException, StorageError) as error:
            reason = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            return f"Kafka at {self._address.bootstrap_servers} does not answer: {reason}"
        if topic.error is not None:
            return f"Kafka at {self._address.bootstrap_servers} has no topic {self._topic}: {topic.error.str()}"
        headless = sorted(number for number, one in topic.partitions.items() if one.leader < 0)
        return f"partitions {headless} of {self._topic} have no leader" if headless else None

    def close(self) -> None:
        """Release the connections; a second call does nothing."""
        with self._lock:
            self._closed = True
            if self._producer is not None:
                self._producer.purge()
                self._producer.flush(self._timeout_s)
                self._producer = None

    def _open(self) -> Producer:
        if self._closed:
            raise StorageError(f"the connection to Kafka for {self._topic} is closed")
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self._address.bootstrap_servers,
                    "acks": "all",
                    "enable.idempotence": True,
                    # as Java clients hash: a user must have one partition, whichever client sends
                    "partitioner": "murmur2_random",
                    "compression.type": "lz4",
                    # callers come in groups already (application/events/writer.py): do not wait for more
                    "linger.ms": 0,
                    "message.timeout.ms": round(self._timeout_s * 1000),
                    "socket.timeout.ms": max(1000, round(self._timeout_s * 1000)),
                    "socket.nagle.disable": True,
                    "reconnect.backoff.ms": 50,
                    "reconnect.backoff.max.ms": 1000,
                    "log_level": 0,  # what goes wrong comes back as an error
                }
            )
        return self._producer

    def _produce(self, producer: Producer, record: Outgoing, number: int, delivery: _Delivery, end: float) -> None:
        def on_delivery(error: KafkaError | None, message: Message) -> None:
            delivery.report(number, error, message)

        while True:
            try:
                producer.produce(
                    self._topic,
                    key=record.key.encode(),
                    value=record.value,
                    headers=record.headers,
                    on_delivery=on_delivery,
                )
                return
            except BufferError:  # the client's queue is full: let it send
                if time.monotonic() > end:
                    raise self._failed(producer, None) from None
                producer.poll(_POLL_S)
            except KafkaException as error:  # after a fatal error it takes nothing more
                raise self._failed(producer, error.args[0]) from error

    def _failed(self, producer: Producer, error: KafkaError | None) -> StorageError:
        # what is still in the queue would come late and out of order with what is sent next
        producer.purge()
        producer.poll(0)
        if error is not None and error.fatal():
            self._producer = None  # the next call opens another one
        reason = error.str() if error is not None else f"no answer within {self._timeout_s:.0f} s"
        return StorageError(
            f"Kafka at {self._address.bootstrap_servers} did not take events for {self._topic}: {reason}",
            hint="sending the same again is safe; look at the broker with: gars stack status",
        )
