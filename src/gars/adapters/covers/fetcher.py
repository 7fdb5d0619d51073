"""HTTP client for cover images: only allowed hosts, no private addresses, with limits on time and size."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence

import httpx

from gars.domain.errors import FetchError, InvalidInputError

MAX_BYTES = 2_000_000
DEADLINE_S = 15.0
_REDIRECTS = 3
_TIMEOUT = httpx.Timeout(5.0)
_HINT = "the drawn cover stays"

Resolve = Callable[[str, int], Sequence[str]]
"""Host name and port → its IP addresses. Raises ``OSError``."""


def resolve(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def origins_of(hosts: str) -> list[str]:
    """Return the origins of a comma-separated list: a name stands for ``https://NAME``, others have a scheme.

    Raises:
        InvalidInputError: an entry is neither a host name nor an origin.
    """
    return [_origin_of_entry(entry) for part in hosts.split(",") if (entry := part.strip())]


def _origin_of_entry(entry: str) -> str:
    try:
        address = httpx.URL(entry if "://" in entry else f"https://{entry}")
    except httpx.InvalidURL:
        address = httpx.URL("")
    usable = address.scheme in ("http", "https") and address.host and not address.userinfo
    if not usable or address.raw_path not in (b"", b"/") or any(mark in entry for mark in " ;'\"*"):
        raise InvalidInputError(
            f"GARS_COVER_HOSTS: {entry!r} is not a host",
            hint="name hosts, such as cdn.example.org,https://10.0.0.5:8443",
        )
    return _origin(address)


def _origin(address: httpx.URL) -> str:
    port = f":{address.port}" if address.port is not None else ""  # None for the usual port of the scheme
    return f"{address.scheme}://{address.netloc.decode().rpartition('@')[2].removesuffix(port)}{port}".lower()


class CoverFetcher:
    """A ``CoverSite``. For any thread: every fetch has a connection and an event loop of its own.

    The event loop gives the whole fetch one deadline, from the lookup of the name to the last byte: a timeout of
    each read alone would let a site send a byte now and then for hours.
    """

    def __init__(
        self,
        origins: Sequence[str],
        *,
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_BYTES,
        resolve: Resolve = resolve,
    ) -> None:
        self._origins = frozenset(origins)
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._tls = ssl.create_default_context()

    def fetch(self, address: str) -> bytes:
        """Return the body at an address, after at most three redirects between allowed hosts.

        Raises:
            FetchError: the address is not allowed, the site does not answer in time, or sends too much.
        """
        try:
            return asyncio.run(self._within_deadline(address))
        except TimeoutError:
            raise FetchError(f"{address} did not come in {self._deadline_s:g} seconds", hint=_HINT) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise FetchError(f"{address}: {str(error) or type(error).__name__}", hint=_HINT) from error

    async def _within_deadline(self, address: str) -> bytes:
        async with (
            asyncio.timeout(self._deadline_s),
            # no proxy of the environment: it would be asked to connect in our place, by name
            httpx.AsyncClient(verify=self._tls, timeout=_TIMEOUT, trust_env=False) as client,
        ):
            asked = httpx.URL(address)
            for _ in range(1 + _REDIRECTS):
                body, following = await self._ask(client, asked)
                if following is None:
                    return body
                asked = following
        raise FetchError(f"{address} redirects more than {_REDIRECTS} times", hint=_HINT)

    async def _ask(self, client: httpx.AsyncClient, address: httpx.URL) -> tuple[bytes, httpx.URL | None]:
        """Send one request. → the body, or the address that it redirects to"""
        if address.userinfo or _origin(address) not in self._origins:
            raise FetchError(
                f"{_origin(address)} is not a host of covers", hint=f"{_HINT}; GARS_COVER_HOSTS names the hosts"
            )
        ip = await self._public_ip(address)
        # The request goes to the address that was checked: a second lookup might give another one.
        request = client.build_request(
            "GET",
            address.copy_with(host=ip),
            headers={"Host": address.netloc.decode(), "Accept-Encoding": "identity", "User-Agent": "gars"},
            extensions={"sni_hostname": address.host},
        )
        answer = await client.send(request, stream=True, follow_redirects=False)
        try:
            if answer.has_redirect_location:
                return b"", address.join(answer.headers["Location"])
            return await self._body(answer, address), None
        finally:
            await answer.aclose()

    async def _body(self, answer: httpx.Response, address: httpx.URL) -> bytes:
        if answer.status_code != httpx.codes.OK:
            raise FetchError(f"{address} answered {answer.status_code}", hint=_HINT)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise FetchError(f"{address} was sent compressed, though that was not asked for", hint=_HINT)
        body = bytearray()
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > self._max_bytes:
                raise FetchError(f"{address} is larger than {self._max_bytes:,} bytes", hint=_HINT)
        return bytes(body)

    async def _public_ip(self, address: httpx.URL) -> str:
        """Return the IP address to connect to. One written in GARS_COVER_HOSTS itself may be private."""
        host = address.host
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            pass
        port = address.port or (443 if address.scheme == "https" else 80)
        found = await asyncio.get_running_loop().run_in_executor(None, self._resolve, host, port)
        for ip in found:
            if not _is_public(ip):
                raise FetchError(f"{host} has the address {ip}, which is not on the internet", hint=_HINT)
        if not found:
            raise FetchError(f"{host} has no address", hint=_HINT)
        return found[0]


def _is_public(ip: str) -> bool:
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
