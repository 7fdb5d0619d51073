"""Addresses ``kafka://HOST:PORT[,HOST:PORT…]/PREFIX[?replication=N]`` and the names of topics."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from gars.domain.errors import InvalidInputError

DEFAULT_PREFIX = "gars"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_MOST_REPLICAS = 9


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A cluster and the prefix of the topics in it."""

    bootstrap_servers: str
    prefix: str = DEFAULT_PREFIX
    replication: int = 1
    """On how many brokers a topic is, when it is made."""

    @property
    def interactions(self) -> str:
        """Topic of the event log."""
        return f"{self.prefix}.interactions"

    @property
    def impressions(self) -> str:
        """Topic of the lists that were shown."""
        return f"{self.prefix}.impressions"

    @property
    def dead_letters(self) -> str:
        """Return the topic of dead letters."""
        return f"{self.prefix}.dead-letters"


def parse(name: str, address: str) -> KafkaAddress:
    """Read the address of the setting ``name``; raises ``InvalidInputError``."""
    scheme, _, rest = address.partition("://")
    where, _, query = rest.partition("?")
    servers, _, prefix = where.rstrip("/").partition("/")
    hosts = [server.rpartition(":") for server in servers.split(",")]
    good = all(host and port.isascii() and port.isdigit() for host, _, port in hosts)
    asked = dict(parse_qsl(query, keep_blank_values=True))
    replication = asked.pop("replication", "1")
    countable = replication in map(str, range(1, _MOST_REPLICAS + 1))
    if scheme != "kafka" or not good or not set(prefix) <= _LETTERS or len(prefix) > 200 or asked or not countable:
        raise InvalidInputError(
            f"{name}={address!r}: no address of a Kafka",
            hint="write kafka://HOST:PORT[,HOST:PORT…][/PREFIX][?replication=N]",
        )
    return KafkaAddress(servers, prefix or DEFAULT_PREFIX, int(replication))
