"""The event log on a real Kafka keeps the contract of its port."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.event_log import KafkaEventLog
from gars.adapters.kafka.topics import create_topics
from gars.application.ports import EventLog
from gars.stack.kafka import Kafka
from gars.testing.contracts.event_log import EventLogContract


@pytest.fixture
def address(kafka: Kafka) -> KafkaAddress:
    """Topics of this test alone."""
    own = KafkaAddress(kafka.address.bootstrap_servers, f"t-{uuid.uuid4().hex[:12]}")
    create_topics(own)
    return own


class TestKafkaEventLog(EventLogContract):
    address: KafkaAddress
    opened: list[KafkaEventLog]

    @pytest.fixture(autouse=True)
    def _topics(self, address: KafkaAddress) -> Iterator[None]:
        self.address, self.opened = address, []
        yield
        for log in self.opened:
            log.close()
            log.close()

    def open(self) -> EventLog:
        log = KafkaEventLog(self.address)
        self.opened.append(log)
        return log
