"""robots.txt by RFC 9309: if it cannot be read, nothing is allowed."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import RobotParser
from twisted.internet.defer import Deferred

# It prints a traceback when a site does not answer; every request then says so in a line.
logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)

UNREADABLE = "robots.txt cannot be read, so nothing is allowed"
_NOTHING = b"User-agent: *\nDisallow: /\n"
_CLIENT_ERROR, _TOO_MANY, _SERVER_ERROR = 400, 429, 500


class StrictRobots(RobotsTxtMiddleware):
    """Scrapy takes an unreachable robots.txt for "everything is allowed"; this one takes it for "nothing is".

    And one request at a time asks what the rules are: of several that wait for the same answer, Scrapy (2.19) gives it
    to the first, and lets the others through.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._turns: dict[str, asyncio.Lock] = {}
        self._unreadable: set[str] = set()

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """The rules of the request's host."""
        async with self._turns.setdefault(urlsplit(request.url).netloc, asyncio.Lock()):
            return await super().robot_parser(request)

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Allow or ignore a request; the error distinguishes an unreadable robots.txt from a disallowed path."""
        if urlsplit(request.url).netloc in self._unreadable:
            raise IgnoreRequest(UNREADABLE)
        super().process_request_2(rp, request)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= _SERVER_ERROR or response.status == _TOO_MANY:
            self._unreadable.add(netloc)
            response = response.replace(body=_NOTHING)
        elif response.status >= _CLIENT_ERROR:  # there is none: nothing is forbidden
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._unreadable.add(netloc)
        self._stats.inc_value(f"robotstxt/exception_count/{type(exc).__name__}")
        waiting = self._parsers[netloc]
        assert isinstance(waiting, Deferred)
        nothing = self._parserimpl.from_crawler(self.crawler, _NOTHING)
        self._parsers[netloc] = nothing
        waiting.callback(nothing)
