"""Where records go that nobody can use: with the reason, so that nothing is dropped in silence."""

from __future__ import annotations

import logging

from confluent_kafka import Message

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.producer import Outgoing, SyncProducer
from gars.adapters.kafka.records import Headers
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)


class DeadLetters:
    """Keeps the bytes as they came; the headers ``reason``, ``where`` and ``from`` say the rest, Kafka the time."""

    def __init__(self, address: KafkaAddress, *, where: str, timeout_s: float) -> None:
        self._where = where
        self._producer = SyncProducer(address, address.dead_letters, timeout_s=timeout_s)

    def put(self, message: Message, reason: str) -> None:
        """Keep a record that was read; raises ``StorageError``."""
        self.put_bytes(
            message.key() or b"",
            message.value(),
            reason,
            origin=f"{message.topic()}/{message.partition()}/{message.offset()}",
        )

    def put_bytes(self, key: bytes, value: str | bytes | None, reason: str, *, origin: str) -> None:
        """Keep bytes that came from ``origin``; raises ``StorageError``."""
        logger.warning("dead letter from %s: %s", origin, reason)
        headers: Headers = [("reason", reason.encode()), ("where", self._where.encode()), ("from", origin.encode())]
        content = value.encode() if isinstance(value, str) else value
        self._producer.send([Outgoing(key.decode(errors="replace"), content, headers)])

    def try_put(self, key: str, value: bytes, reason: str, *, origin: str) -> bool:
        """Keep it if that is possible now; for those who have told the sender already."""
        try:
            self.put_bytes(key.encode(), value, reason, origin=origin)
        except StorageError as error:
            logger.warning("a dead letter was lost: %s", error.message)
            return False
        return True

    def close(self) -> None:
        """Let go of the connections."""
        self._producer.close()
