"""Detect challenges (captchas). GARS never tries to pass one: it waits, or stops."""

from __future__ import annotations

from collections.abc import Mapping

_HEADERS = ("x-amzn-waf-action", "cf-mitigated")
_MARKS = (b"g-recaptcha", b"h-captcha", b"cf-challenge", b"awswaf", b"human verification")
_LOOKED_AT = 65_536
_PAGE_OF_AN_ANIME = b"dark_text"


def is_challenge(headers: Mapping[str, str], body: bytes) -> bool:
    """Return true if a response (header names in lower case) is a challenge; a page that mentions a captcha is not."""
    if any(name in headers for name in _HEADERS):
        return True
    start = body[:_LOOKED_AT].lower()
    return _PAGE_OF_AN_ANIME not in body and any(mark in start for mark in _MARKS)
