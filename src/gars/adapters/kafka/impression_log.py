"""Shown lists on their way to the history: a topic can take them, but not find one user's or delete them."""

from __future__ import annotations

from collections.abc import Sequence

from gars.adapters.kafka.address import KafkaAddress
from gars.adapters.kafka.producer import Outgoing, SyncProducer
from gars.domain.impression import Impression
from gars.domain.impression_codec import ImpressionCodec


class KafkaImpressionSink:
    """An ``ImpressionSink`` in a topic, keyed by user; ``gars worker history`` brings it to where it is read."""

    def __init__(self, address: KafkaAddress, *, timeout_s: float = 5.0) -> None:
        self._producer = SyncProducer(address, address.impressions, timeout_s=timeout_s)
        self._codec = ImpressionCodec()

    def append(self, impressions: Sequence[Impression]) -> None:
        """Returns when the brokers have all of them."""
        records = self._codec.encode_many(impressions)
        self._producer.send(
            [Outgoing(one.user_id, record, []) for one, record in zip(impressions, records, strict=True)]
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._producer.close()
