"""Which sites may reach the service through a browser: the names it answers to, and whose pages may call it.

Without tokens a browser on this machine is the weak point. DNS rebinding gives a foreign page the address of the
service under the page's own name, so ``Host`` is checked. A page of another port or site can make the browser send
requests, so ``Origin`` and ``Sec-Fetch-Site`` are checked (Fetch Metadata, W3C). Programs send neither of the two.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gars.domain.errors import InvalidInputError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_OTHER_SITES = (b"same-site", b"cross-site")
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused."""

    status: int
    code: str
    message: str
    hint: str


class Origins:
    """Checks ``Host``, ``Origin`` and ``Sec-Fetch-Site`` of requests."""

    def __init__(self, allowed_hosts: Iterable[str], *, listens_on: str = "", any_host: bool = False) -> None:
        """``allowed_hosts`` are names with or without a port; ``*.example.org`` stands for every name below it.

        ``listens_on`` is the address that the service listens on, which is always allowed. With ``any_host`` and no
        ``allowed_hosts`` every ``Host`` is accepted: DNS rebinding gains nothing where requests need tokens.

        Raises:
            InvalidInputError: an entry is not a host.
        """
        entries = [entry.strip().lower() for entry in allowed_hosts if entry.strip()]
        for entry in entries:
            if "/" in entry or "@" in entry or not _name_of(entry):
                raise InvalidInputError(
                    f"GARS_ALLOWED_HOSTS: {entry!r} is no host", hint="give NAME or NAME:PORT, without http://"
                )
        self._any_host = any_host and not entries
        self._exact = {_name_of(entry) for entry in entries} | {"localhost", _name_of(listens_on.lower())} - {""}
        self._below = tuple(entry[1:] for entry in self._exact if entry.startswith("*."))
        self._authorities = {entry for entry in entries if _port_of(entry)}
        self._names_of_pages = {_name_of(entry) for entry in entries if not _port_of(entry)}
        self._known: set[bytes] = set()

    def refusal(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> Refusal | None:
        """Return why a request is refused, or ``None``. ``headers`` have names in lower case."""
        host = headers.get(b"host")
        if host is not None and host not in self._known:
            if not self._is_ours(host):
                return _wrong_host(host)
            if len(self._known) < _KEPT:
                self._known.add(host)
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if origin is None and site is None:
            return None  # a program, or a page of ours in a browser without Fetch Metadata that reads
        if origin is not None and not self._is_same_origin(origin, host or b""):
            return _wrong_origin(origin)
        if site in _OTHER_SITES and origin is None and not _is_navigation(method, path, headers):
            return _wrong_site(site)
        return None

    def _is_ours(self, host: bytes) -> bool:
        text = host.decode("latin-1").lower()
        name = _name_of(text)
        if not name:
            return False
        return self._any_host or name in self._exact or name.endswith(self._below) or _is_loopback(name)

    def _is_same_origin(self, origin: bytes, host: bytes) -> bool:
        scheme, _, authority = origin.decode("latin-1").lower().partition("://")
        if not authority:  # "null": a sandboxed frame, a file, a redirect across sites
            return False
        default = _DEFAULT_PORTS.get(scheme, "")
        authority = authority.removesuffix(default) if default else authority
        own = host.decode("latin-1").lower()
        if authority == (own.removesuffix(default) if default else own):
            return True
        return authority in self._authorities or _name_of(authority) in self._names_of_pages


def _name_of(host: str) -> str:
    """Return the name of ``NAME:PORT`` or ``[IPV6]:PORT``, without a trailing dot; empty if it is neither."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name if bracket and (not rest or _is_port(rest)) else ""
    name, colon, port = host.partition(":")
    if colon and not _is_port(colon + port):
        # an IPv6 address without brackets, as --host takes it
        return host if host.count(":") > 1 else ""
    return name.removesuffix(".")


def _port_of(host: str) -> str:
    return host.rpartition(":")[2] if _name_of(host) != host and ":" in host and not host.endswith("]") else ""


def _is_port(text: str) -> bool:
    return text[1:].isascii() and text[1:].isdigit() and len(text) <= 6 if text.startswith(":") else False


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_navigation(method: str, path: str, headers: Mapping[bytes, bytes]) -> bool:
    """Return true if the request is a top-level navigation to a page: the other site cannot read the response."""
    return (
        method in _SAFE_METHODS
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest") == b"document"
        and not path.startswith("/api/")
    )


def _wrong_host(host: bytes) -> Refusal:
    shown = ascii(host[:100].decode("latin-1"))
    return Refusal(
        421,
        "wrong_host",
        f"this service does not answer to the name {shown}",
        "ask it by a loopback name such as http://127.0.0.1:8000; GARS_ALLOWED_HOSTS lists the other names it has",
    )


def _wrong_origin(origin: bytes) -> Refusal:
    shown = ascii(origin[:100].decode("latin-1"))
    return Refusal(
        403,
        "forbidden",
        f"a page of {shown} made the browser send this",
        "only pages of this service may; GARS_ALLOWED_HOSTS lists others, programs send no Origin",
    )


def _wrong_site(site: bytes) -> Refusal:
    return Refusal(
        403,
        "forbidden",
        f"a page of another site made the browser send this (Sec-Fetch-Site: {site.decode()})",
        "only pages of this service may; programs send no such header",
    )
