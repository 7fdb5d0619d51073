"""Pause the whole crawl on a "too many requests" answer or a challenge; stop it if they repeat."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from gars.spider.pages.challenge import is_challenge

_log = logging.getLogger(__name__)
TOO_MANY = (429, 503)
LONGEST_S = 15 * 60
CHALLENGES = 3
"""As many in a row end the crawl."""
LEFT = "asked_for_a_person"
LATER = "asked_to_come_later"


class BackOff:
    """Pauses the whole crawl: for ``Retry-After`` if the site sends it, else with exponential backoff.

    The first pause is ten times the delay between requests. A challenge is never answered.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._least_s = max(crawler.settings.getfloat("DOWNLOAD_DELAY"), 0.01) * 5
        self._in_a_row = self._challenges = self._waiting = 0
        self._leaving: asyncio.Future[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BackOff:
        """As Scrapy makes it."""
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        """Pass an answer on, or ask again later."""
        headers = {name.decode("latin-1").lower(): "" for name in response.headers}
        challenge = is_challenge(headers, response.body)
        if response.status not in TOO_MANY and not challenge:
            self._in_a_row = self._challenges = 0
            return response
        self._in_a_row += 1
        self._challenges += challenge
        if self._challenges >= CHALLENGES:
            self._leave(LEFT, f"the site asked {self._challenges} times in a row for a person")
            raise IgnoreRequest("the site asks for a person")
        asked_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
        if asked_s is not None and asked_s > LONGEST_S:
            self._leave(LATER, f"the site asked to come back in {asked_s / 60:,.0f} minutes")
            raise IgnoreRequest("the site asks to come back later")
        again = get_retry_request(
            request, spider=self._spider, reason="challenge" if challenge else f"status {response.status}"
        )
        if again is None:
            return response
        await self._pause(self._least_s * 2**self._in_a_row if asked_s is None else asked_s)
        return again

    async def _pause(self, seconds: float) -> None:
        wait = min(seconds, LONGEST_S)
        _log.info("the site asks for less: everything waits %.1f s", wait)
        engine = self._crawler.engine
        self._waiting += 1
        engine.pause()
        try:
            await asyncio.sleep(wait)
        finally:
            self._waiting -= 1
            if not self._waiting:
                engine.unpause()

    def _leave(self, reason: str, why: str) -> None:
        if self._leaving is not None:
            return
        _log.error("%s: the crawl ends here", why)
        # The engine waits for the requests in flight, this one among them: so it is not waited for.
        self._leaving = asyncio.ensure_future(self._crawler.engine.close_spider_async(reason=reason))

    @property
    def _spider(self):  # type: ignore[no-untyped-def]
        spider = self._crawler.spider
        assert spider is not None
        return spider


def retry_after_s(header: bytes | None, now: datetime) -> float | None:
    """Seconds of a ``Retry-After`` header, which is a number or a date; ``None`` when it is neither."""
    text = (header or b"").decode("latin-1").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return None
