"""The topics of GARS: their settings, and checks that the broker has them."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public in its documentation, not in its stubs
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewTopic

from gars.adapters.kafka.address import KafkaAddress
from gars.domain.errors import StorageError

PARTITIONS = 8
"""Users are spread over them by key. More later would move users, and break the order of their events."""
_TIMEOUT_S = 5.0
_DAY_MS = 24 * 60 * 60 * 1000
_EXISTS = "TOPIC_ALREADY_EXISTS"


def create_topics(
    address: KafkaAddress, *, kept_days: int = 0, partitions: int = PARTITIONS, timeout_s: float = _TIMEOUT_S
) -> list[str]:
    """Create the topics that are not there, and see that all keep their records for ``kept_days``; 0: for ever.

    → the names of those created.

    Raises:
        StorageError: the broker does not answer or refuses.
    """
    kept = retention(kept_days)
    wanted = [
        NewTopic(
            name,
            num_partitions=partitions,
            replication_factor=address.replication,
            config={**kept, "min.insync.replicas": str(max(1, address.replication - 1))},
        )
        for name in (address.interactions, address.impressions, address.dead_letters)
    ]
    admin = _admin(address, timeout_s)  # the answers come only as long as it lives
    made, old = [], []
    for name, future in admin.create_topics(wanted, operation_timeout=timeout_s, request_timeout=timeout_s).items():
        try:
            future.result(timeout_s * 4)
            made.append(name)
        except KafkaException as error:
            if error.args[0].name() != _EXISTS:
                raise _refused(address, f"did not create the topic {name}", error) from error
            old.append(name)
    for name in old:
        _keep(admin, address, name, kept, timeout_s)
    return made


def retention(days: int) -> dict[str, str]:
    """Settings of a topic that lets go of a record after ``days``, or at most one later; 0: never.

    Kafka deletes segments, not records, and only once it does not write to them any more: so each is closed after a
    day, however little is in it.
    """
    return {"retention.ms": str(days * _DAY_MS or -1), "segment.ms": str(_DAY_MS if days else 7 * _DAY_MS)}


def problem(address: KafkaAddress, *, timeout_s: float = _TIMEOUT_S) -> str | None:
    """Return the reason why the broker cannot be used; ``None`` if it answers."""
    try:
        brokers = _admin(address, timeout_s).list_topics(timeout=timeout_s).brokers
    except KafkaException as error:
        return f"Kafka at {address.bootstrap_servers} does not answer: {error.args[0].str()}"
    return None if brokers else f"Kafka at {address.bootstrap_servers} has no broker yet"


def _keep(admin: AdminClient, address: KafkaAddress, topic: str, kept: Mapping[str, str], timeout_s: float) -> None:
    """Set the retention of a topic, unless it is set already."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    try:
        (described,) = admin.describe_configs([resource], request_timeout=timeout_s).values()
        held = described.result(timeout_s * 4)
        if all(held[name].value == value for name, value in kept.items()):
            return
        changed = ConfigResource(
            ConfigResource.Type.TOPIC,
            topic,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in kept.items()
            ],
        )
        (done,) = admin.incremental_alter_configs([changed], request_timeout=timeout_s).values()
        done.result(timeout_s * 4)
    except KafkaException as error:
        raise _refused(address, f"did not change how long {topic} is kept", error) from error


def _refused(address: KafkaAddress, what: str, error: KafkaException) -> StorageError:
    return StorageError(
        f"Kafka at {address.bootstrap_servers} {what}: {error.args[0].str()}", hint="is it up? gars stack status"
    )


def _admin(address: KafkaAddress, timeout_s: float) -> AdminClient:
    return AdminClient(
        {
            "bootstrap.servers": address.bootstrap_servers,
            "socket.timeout.ms": max(1000, round(timeout_s * 1000)),
            "log_level": 0,  # what goes wrong comes back as an error
        }
    )
