"""The rules of asking a site, in one place: a run that breaks one does not start."""

from __future__ import annotations

import ipaddress
from importlib.metadata import version
from urllib.parse import urlsplit

from gars.domain.errors import InvalidInputError

LEAST_DELAY_S = 2.0
API_DELAY_S = 1.0
"""The Jikan API allows 60 requests a minute, and 3 a second: one a second keeps both."""


def is_this_machine(address: str) -> bool:
    """Return true for a loopback address: no other machine receives requests."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def user_agent(contact: str) -> str:
    """Build the User-Agent header: the program, its version, and a contact of its operator."""
    return f"gars-spider/{version('gars')} (Scrapy; contact: {contact or 'none given'})"


def check(site: str, *, delay_s: float, least_s: float, obeys_robots: bool, agent: str, contact: str) -> None:
    """Refuse a run that would be rude.

    Raises:
        InvalidInputError: robots.txt would be ignored, requests would come faster than ``least_s`` at a site that is
            not this machine, or the User-Agent is not ours or names no contact.
    """
    if not obeys_robots:
        raise InvalidInputError("the spider obeys robots.txt, always", hint="leave ROBOTSTXT_OBEY as it is")
    if is_this_machine(site):
        return
    if delay_s < least_s:
        raise InvalidInputError(
            f"{site}: {delay_s:g} s between requests is too fast, at least {least_s:g} s",
            hint="only a site on this machine may be asked faster: set GARS_SPIDER_DELAY_MS=2000 or more",
        )
    if not contact or agent != user_agent(contact):
        raise InvalidInputError(
            f"{site}: the site must be able to see who asks, and to reach you",
            hint="set GARS_SPIDER_CONTACT to a mail address or page of yours, and leave USER_AGENT as it is",
        )
