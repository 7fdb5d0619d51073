"""Clients of Redis by address, and conversion of their errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gars.domain.errors import InvalidInputError, StorageError

Client: TypeAlias = Any
"""``redis.Redis`` or ``redis.RedisCluster``: the calls used here are the same."""

SCHEMES = ("redis", "rediss", "unix", "redis-cluster", "rediss-cluster")
TIMEOUT_S = 2.0
"""Response timeout (s): a request falls back to another list long before."""


def connect(address: str, *, timeout_s: float = TIMEOUT_S) -> Client:
    """Create a client; it connects at the first call, for a Redis Cluster (``redis-cluster://HOST:PORT``) at once.

    Raises:
        InvalidInputError: the address cannot be parsed.
        StorageError: no node of a Redis Cluster answers.
    """
    scheme = address.partition(":")[0]
    if scheme not in SCHEMES:
        raise InvalidInputError(f"{shown(address)}: no address of Redis", hint="write redis://HOST:PORT/0")
    # one quick second try: the server may have closed a connection that was idle
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 1),
    }
    try:
        if is_cluster(address):
            with explained("reach", address):
                return redis.RedisCluster.from_url(address.replace("-cluster:", ":", 1), **options)
        if scheme == "unix":
            options.pop("socket_keepalive")
        return redis.Redis.from_url(address, **options)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(f"{shown(address)}: {error}", hint="write redis://HOST:PORT/0") from error


def is_cluster(address: str) -> bool:
    """Return true for the address of a Redis Cluster."""
    return address.partition(":")[0].endswith("-cluster")


@contextmanager
def explained(doing: str, address: str) -> Iterator[None]:
    """Convert errors of the client to a ``StorageError`` with operation, address, cause and hint."""
    try:
        yield
    except (redis.RedisError, redis.exceptions.RedisClusterException) as error:
        raise StorageError(f"cannot {doing} Redis at {shown(address)}: {error}", hint=_hint(error)) from error


def shown(address: str) -> str:
    """Return the address with its password masked."""
    parts = urlsplit(address)
    if parts.password is None:
        return address
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}:***@{host}").geturl()


def _hint(error: Exception) -> str:
    """Return a hint for an error of Redis."""
    text = str(error)
    match error:
        case redis.AuthenticationError() | redis.exceptions.NoPermissionError():
            return "put user and password into the address: redis://USER:PASSWORD@HOST:PORT/0"
        case redis.ReadOnlyError():
            return "this is a replica: give the address of the primary"
        case redis.ConnectionError() | redis.TimeoutError() | redis.exceptions.RedisClusterException():
            return "is it running? gars doctor says what answers; states it lost are rebuilt with: gars replay"
    if text.startswith("OOM"):
        return "it is full: raise maxmemory in redis.conf (docs/reference/cluster/redis.md says how much a user needs)"
    if text.startswith("MISCONF"):
        return "it cannot save to its disk: free space, or look into its log"
    return "look into its log; gars doctor checks every dependency"
