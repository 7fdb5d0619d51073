"""Dead-letter topic: unusable records with the reason, so that nothing is dropped silently."""

from __future__ import annotations

import logging

from confluent_kafka import Message

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.producer import Outgoing, SyncProducer
from gars.adapters.kafka.records import Headers
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)


class DeadLetters:
    """Stores the original bytes; the headers ``reason``, ``where`` and ``from`` describe them, Kafka adds the time."""

    def __init__(self, address: KafkaAddress, *, where: str, timeout_s: float) -> None:
        self._where = where
        self._producer = SyncProducer(address, address.dead_letters, timeout_s=timeout_s)

    def put(self, message: Message, reason: str) -> None:
        """Store a consumed record; raises ``StorageError``."""
        self.put_bytes(
            message.key() or b"",
            message.value(),
            reason,
            origin=f"{message.topic()}/{message.partition()}/{message.offset()}",
        )

    def put_bytes(self, key: bytes, value: str | bytes | None, reason: str, *, origin: str) -> None:
        """Store bytes that came from ``origin``; raises ``StorageError``."""
        logger.warning("dead letter from %s: %s", origin, reason)
        headers: Headers = [("reason", reason.encode()), ("where", self._where.encode()), ("from", origin.encode())]
        content = value.encode() if isinstance(value, str) else value
        self._producer.send([Outgoing(key.decode(errors="replace"), content, headers)])

    def try_put(self, key: str, value: bytes, reason: str, *, origin: str) -> bool:
        """Store a record if possible, else log a warning and return false; for callers that have reported the error."""
        try:
            self.put_bytes(key.encode(), value, reason, origin=origin)
        except StorageError as error:
            logger.warning("a dead letter was lost: %s", error.message)
            return False
        return True

    def close(self) -> None:
        """Release the connections."""
        self._producer.close()
