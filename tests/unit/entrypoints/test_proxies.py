"""Forwarded headers are believed from trusted proxies only."""

from typing import Any

import pytest

from gars.domain.errors import InvalidInputError
from gars.entrypoints.edge.proxies import Proxies


def scope(address: str) -> Any:
    return {"client": (address, 40000), "scheme": "http"}


@pytest.mark.parametrize(
    ("address", "forwarded_for", "proto", "client", "scheme"),
    [
        ("127.0.0.1", b"203.0.113.5", b"https", "203.0.113.5", "https"),
        ("127.0.0.1", b"198.51.100.1, 203.0.113.5, 10.0.0.7", b"https", "203.0.113.5", "https"),
        ("203.0.113.9", b"127.0.0.1", b"https", "203.0.113.9", "http"),
        ("127.0.0.1", b"[2001:db8::1]:443", b"http, https", "2001:db8::1", "https"),
        ("127.0.0.1", b"nonsense", b"ftp", "127.0.0.1", "http"),
    ],
    ids=["one proxy", "two proxies and a forged entry", "no proxy", "IPv6, nearest scheme", "nonsense"],
)
def test_client_and_scheme(address: str, forwarded_for: bytes, proto: bytes, client: str, scheme: str) -> None:
    asked = scope(address)
    headers = {b"x-forwarded-for": forwarded_for, b"x-forwarded-proto": proto}
    Proxies(["127.0.0.1", "10.0.0.0/8"]).apply(asked, headers)
    assert (asked["client"][0], asked["scheme"]) == (client, scheme)


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="GARS_TRUSTED_PROXIES: 'nginx' is no address and no network"):
        Proxies(["127.0.0.1", "nginx"])
