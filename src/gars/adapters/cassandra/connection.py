"""A connection to Cassandra shared by all adapters of this process, opened at the first statement."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cassandra import ConsistencyLevel, DriverException, InvalidRequest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import DCAwareRoundRobinPolicy, RoundRobinPolicy, TokenAwarePolicy

from gars.adapters.cassandra.address import CassandraAddress
from gars.domain.errors import StorageError

_CONNECT_S = 10.0
_REQUEST_S = 10.0
_AT_ONCE = 128
"""Most concurrent writes."""


class Connection:
    """Executes statements on one cluster. Connects at the first one, so that a process may start before Cassandra."""

    def __init__(self, address: CassandraAddress) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._session: Any = None
        self._prepared: dict[str, Any] = {}
        self._users = 1

    def rows(self, statement: str, *values: object) -> Iterator[Any]:
        """Yield the rows of a query, fetched in pages."""
        with self.explained("read from"):
            yield from self._ready().execute(self._statement(statement), values)

    def run(self, statement: str, *values: object) -> Any:
        """Execute one write; returns its result (a conditional write states whether it was applied)."""
        with self.explained("write to"):
            return self._ready().execute(self._statement(statement), values)

    def run_many(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Execute many writes concurrently, each acknowledged; raises if one failed. They are idempotent."""
        with self.explained("write to"):
            execute_concurrent_with_args(
                self._ready(), self._statement(statement), values, concurrency=_AT_ONCE, raise_on_first_error=True
            )

    def share(self) -> Connection:
        """Count one more user of this connection."""
        with self._lock:
            self._users += 1
        return self

    def close(self) -> None:
        """Count one user less; the last one closes the connection."""
        with _opening, self._lock:
            self._users -= 1
            if self._users > 0:
                return
            if _opened.get(self.address) is self:
                del _opened[self.address]
            if self._cluster is None:
                return
            self._cluster.shutdown()
            self._cluster, self._session = None, None
            self._prepared.clear()

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Convert errors of the driver to a ``StorageError`` with operation, address, cause and hint."""
        try:
            yield
        except (DriverException, NoHostAvailable, OSError) as error:
            raise StorageError(
                f"cannot {doing} Cassandra at {self.address.shown}: {_error_text(error)}", hint=_hint(error)
            ) from error

    def _ready(self) -> Any:
        with self._lock:
            if self._session is None:
                cluster = open_cluster(self.address)
                try:
                    self._session = cluster.connect()
                except BaseException:
                    with contextlib.suppress(Exception):
                        cluster.shutdown()
                    raise
                self._cluster = cluster
            return self._session

    def _statement(self, text: str) -> Any:
        prepared = self._prepared.get(text)
        if prepared is None:
            prepared = self._prepared[text] = self._ready().prepare(text, keyspace=self.address.keyspace)
        return prepared


_opening = threading.Lock()
_opened: dict[CassandraAddress, Connection] = {}


def shared(address: CassandraAddress) -> Connection:
    """Return the connection of this process to an address and count its user, who must close it."""
    with _opening:
        found = _opened.get(address)
        if found is not None:
            return found.share()
        return _opened.setdefault(address, Connection(address))


def open_cluster(address: CassandraAddress, *, connect_s: float = _CONNECT_S) -> Cluster:
    """Create the driver's cluster object without connecting; ``connect_s`` is the connection timeout."""
    near = DCAwareRoundRobinPolicy(address.datacenter) if address.datacenter else RoundRobinPolicy()
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(near),
        # more than half of the copies: what was written is read, and one machine of three may be away
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        request_timeout=_REQUEST_S,
    )
    return Cluster(
        address.hosts,
        port=address.port,
        auth_provider=PlainTextAuthProvider(address.user, address.password) if address.user else None,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        connect_timeout=connect_s,
        control_connection_timeout=connect_s,
        protocol_version=5,
    )


def _error_text(error: Exception) -> str:
    """Return the errors of each node if the driver has them, else the error's text."""
    by_host = getattr(error, "errors", None)
    return "; ".join(f"{host}: {why}" for host, why in by_host.items()) if isinstance(by_host, dict) else str(error)


def _hint(error: Exception) -> str:
    if isinstance(error, InvalidRequest):
        return "are its tables there? gars stack up, or gars doctor"
    return "is it running? gars doctor says what answers; lists do not need it, and what waits in Kafka is not lost"
