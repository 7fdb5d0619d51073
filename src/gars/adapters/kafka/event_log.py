"""The event log in Kafka: one record an event, keyed by user, acknowledged by every replica in sync."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from gars.adapters.kafka import records
from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.producer import Outgoing, SyncProducer
from gars.adapters.kafka.reader import TopicReader
from gars.adapters.kafka.spans import SentSpans
from gars.application.ports import Logged
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction

logger = logging.getLogger(__name__)


class KafkaEventLog:
    """An ``EventLog`` in a topic. Offsets are Kafka's own plus one: those of the port begin above 0."""

    def __init__(self, address: KafkaAddress, *, timeout_s: float = 5.0) -> None:
        self._address = address
        self._producer = SyncProducer(address, address.interactions, timeout_s=timeout_s)
        self._reader = TopicReader(address, address.interactions, timeout_s=timeout_s)

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        """Append events and wait for all in-sync replicas; a repeated ``event_id`` is appended again."""
        header = records.header(records.EVENT)
        with SentSpans(self._address.interactions) as spans:
            return list(
                self._producer.send(
                    [
                        Outgoing(one.user_id, records.encode(one), spans.add(header, (one.user_id, one.event_id)))
                        for one in events
                    ]
                )
            )

    def mark_forgotten(self, user_id: str) -> int:
        """Append a deletion mark to the user's partition."""
        with SentSpans(self._address.interactions) as spans:
            (offset,) = self._producer.send(
                [Outgoing(user_id, None, spans.add(records.header(records.FORGET), user_id))]
            )
            return offset

    def read(self, *, after: int = 0) -> Iterator[tuple[int, Interaction]]:
        """Yield events by partition. Those of deleted users stay until retention removes them: see ``scan``."""
        return ((one.position, one.event) for one in self.scan(after=after) if one.event is not None)

    def scan(self, *, after: int = 0) -> Iterator[Logged]:
        """Yield events and deletion marks in order; a replay must apply both.

        An undecodable record is skipped with a warning: consumers of the log have written it to the dead letters.
        """
        for position, message in self._reader.read(after=after):
            offset = int(message.offset() or 0) + 1
            try:
                user_id, event = records.decode(message.key(), message.value(), message.headers())
            except ValueError as error:
                where = f"{self._address.interactions}/{message.partition()}/{message.offset()}"
                logger.warning("passed over %s: %s", where, error)
                continue
            yield Logged(user_id, offset, event, position)

    def gone(self) -> int:
        """Return the number of records removed by retention: the log alone cannot replay them."""
        return self._reader.gone()

    def last_offset(self) -> int:
        """Return the position at the end of every partition."""
        return self._reader.end()

    def check(self) -> None:
        """Check that every partition has a leader."""
        if problem := self._producer.problem():
            raise StorageError(problem, hint="look at the broker with: gars stack status")

    def close(self) -> None:
        """Release the connections."""
        self._producer.close()
