"""The client and the scheme of a request that came through a proxy, taken from trusted proxies only."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache

from litestar.types import Scope

from gars.domain.errors import InvalidInputError

_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """Addresses and networks whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are trusted."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """Raises ``InvalidInputError`` for an entry that is no address and no network."""
        self._networks = [_network(entry.strip()) for entry in trusted if entry.strip()]
        self.trusts = lru_cache(maxsize=1024)(self._trusts)
        """Return whether an address belongs to a trusted proxy."""

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def apply(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Set ``client`` and ``scheme`` of the scope to those of the browser, as reported by a trusted proxy.

        ``X-Forwarded-For`` is read from the right: the first address that is not a trusted proxy is the client. Entries
        before it were written by the client itself.
        """
        client = scope.get("client")
        if client is None or not self.trusts(client[0]):
            return
        if (proto := headers.get(_PROTO)) is not None:
            nearest = proto.rpartition(b",")[2].strip().lower()
            if nearest in (b"http", b"https"):
                scope["scheme"] = nearest.decode()
        for entry in reversed(headers.get(_FOR, b"").decode("latin-1").split(",")):
            address = _bare(entry.strip())
            if address is None:
                return
            scope["client"] = (address, 0)
            if not self.trusts(address):
                return


def _network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError as error:
        raise InvalidInputError(
            f"GARS_TRUSTED_PROXIES: {entry!r} is no address and no network", hint="such as 127.0.0.1,10.0.0.0/8"
        ) from error


def _bare(entry: str) -> str | None:
    """The address of ``1.2.3.4``, ``1.2.3.4:5``, ``[::1]:5`` or ``::1``; ``None`` for anything else."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None
