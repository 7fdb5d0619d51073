"""Addresses ``cassandra://[USER:PASSWORD@]HOST[:PORT][,HOST…]/KEYSPACE[?datacenter=NAME&replication=N]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from gars.domain.errors import InvalidInputError

DEFAULT_PORT = 9042
_FORM = "cassandra://HOST[:PORT][,HOST…]/KEYSPACE[?datacenter=NAME&replication=N]"


@dataclass(frozen=True, slots=True)
class CassandraAddress:
    """A cluster, and the keyspace in it."""

    hosts: tuple[str, ...]
    port: int = DEFAULT_PORT
    keyspace: str = "gars"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    datacenter: str | None = None
    """Preferred datacenter of requests; without it all nodes are used in turn."""
    replication: int = 1
    """Replication factor used when GARS creates the keyspace."""

    @property
    def shown(self) -> str:
        """Return the address without the password, for messages."""
        return f"cassandra://{','.join(self.hosts)}:{self.port}/{self.keyspace}"


def parse(name: str, address: str) -> CassandraAddress:
    """Parse the address of the setting ``name``; raises ``InvalidInputError``."""
    found = re.fullmatch(
        r"cassandra://(?:(?P<user>[^:@/]+):(?P<password>[^@/]*)@)?(?P<hosts>[\w.,:-]+)/(?P<keyspace>[a-z][a-z0-9_]{0,47})"
        r"(?:\?(?P<query>.*))?",
        address,
    )
    query = dict(parse_qsl(found["query"] or "", keep_blank_values=True)) if found else {}
    replication = query.get("replication", "1")
    if found is None or not set(query) <= {"datacenter", "replication"} or not re.fullmatch(r"[1-9]\d?", replication):
        raise InvalidInputError(f"{name}: no address of a Cassandra", hint=f"write {_FORM}")
    hosts = [host.partition(":") for host in found["hosts"].split(",")]
    ports = {port for _, _, port in hosts if port}
    if len(ports) > 1 or not all(port.isdigit() for port in ports) or not all(host for host, _, _ in hosts):
        raise InvalidInputError(f"{name}: the hosts of one Cassandra have one port", hint=f"write {_FORM}")
    return CassandraAddress(
        hosts=tuple(host for host, _, _ in hosts),
        port=int(ports.pop()) if ports else DEFAULT_PORT,
        keyspace=found["keyspace"],
        user=unquote(found["user"]) if found["user"] else None,
        password=unquote(found["password"]) if found["user"] else None,
        datacenter=query.get("datacenter"),
        replication=int(replication),
    )
