"""The topics of GARS: how they must be, and whether the broker has them."""

from __future__ import annotations

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from gars.adapters.kafka.address import KafkaAddress
from gars.domain.errors import StorageError

PARTITIONS = 8
"""Users are spread over them by key. More later would move users, and break the order of their events."""
_TIMEOUT_S = 5.0
_DAY_MS = 24 * 60 * 60 * 1000
_EXISTS = "TOPIC_ALREADY_EXISTS"


def create_topics(
    address: KafkaAddress, *, partitions: int = PARTITIONS, replication: int = 1, timeout_s: float = _TIMEOUT_S
) -> list[str]:
    """Create the topics that are not there. → the names of those created.

    Raises:
        StorageError: the broker does not answer or refuses.
    """
    in_sync = {"min.insync.replicas": str(max(1, replication - 1))}
    wanted = [
        NewTopic(
            name,
            num_partitions=partitions,
            replication_factor=replication,
            config={**in_sync, "retention.ms": str(-1 if days is None else days * _DAY_MS)},
        )
        for name, days in _kept_days(address).items()
    ]
    admin = _admin(address, timeout_s)  # the answers come only as long as it lives
    made = []
    for name, future in admin.create_topics(wanted, operation_timeout=timeout_s, request_timeout=timeout_s).items():
        try:
            future.result(timeout_s * 4)
            made.append(name)
        except KafkaException as error:
            if error.args[0].name() != _EXISTS:
                raise StorageError(
                    f"Kafka at {address.bootstrap_servers} did not create the topic {name}: {error.args[0].str()}",
                    hint="is it up? gars stack status",
                ) from error
    return made


def problem(address: KafkaAddress, *, timeout_s: float = _TIMEOUT_S) -> str | None:
    """Why the broker is of no use now; ``None`` when it answers."""
    try:
        brokers = _admin(address, timeout_s).list_topics(timeout=timeout_s).brokers
    except KafkaException as error:
        return f"Kafka at {address.bootstrap_servers} does not answer: {error.args[0].str()}"
    return None if brokers else f"Kafka at {address.bootstrap_servers} has no broker yet"


def _kept_days(address: KafkaAddress) -> dict[str, int | None]:
    """Topic → days its records are kept; the event log is what everything is rebuilt from."""
    return {address.interactions: None, address.impressions: 90, address.dead_letters: 30}


def _admin(address: KafkaAddress, timeout_s: float) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": address.bootstrap_servers,
            "socket.timeout.ms": max(1000, round(timeout_s * 1000)),
            "log_level": 0,  # what goes wrong comes back as an error
        }
    )
