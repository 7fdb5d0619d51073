"""Base class of the spiders: checks permission, obeys the rate limits and robots.txt, and counts failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from gars.datasets.crawled import CrawledAnime
from gars.spider import permission, politeness, refresh
from gars.spider.redaction import redacted
from gars.spider.store import RecordStore


class PoliteSpider(Spider):
    """Refuses to start without permission, or in a hurry."""

    least_delay_s = politeness.LEAST_DELAY_S
    address_setting = "GARS_SITE"
    home: Path
    site: str
    allowed_domains: list[str]

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PoliteSpider:
        """As Scrapy makes it. Raises ``PermissionMissingError`` or ``InvalidInputError``."""
        settings = crawler.settings
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.home = Path(settings["GARS_HOME"])
        spider.site = settings[cls.address_setting]
        spider.allowed_domains = [permission.host_of(spider.site)]
        permission.require(spider.home, spider.site)
        politeness.check(
            spider.site,
            delay_s=settings.getfloat("DOWNLOAD_DELAY"),
            least_s=cls.least_delay_s,
            obeys_robots=settings.getbool("ROBOTSTXT_OBEY"),
            agent=settings["USER_AGENT"],
            contact=settings["GARS_CONTACT"],
        )
        spider.opened()
        return spider

    def opened(self) -> None:
        """Called once the rules were checked, before the first request."""

    def count(self, what: str) -> None:
        """Count something for the summary."""
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value(f"gars/{what}")

    def failed(self, failure: Failure) -> None:
        """Count a request that failed after every retry, by its status or error."""
        if isinstance(failure.value, HttpError):
            status = failure.value.response.status
            reason = {404: "unknown (404)"}.get(status, f"status {status}")
        else:
            reason = str(failure.value) if "robots" in str(failure.value) else type(failure.value).__name__
        request = getattr(failure, "request", None)
        self.give_up(reason, request.url if request else self.site)

    def give_up(self, reason: str, url: str) -> None:
        """Count and log an address that gave nothing."""
        self.count(f"failed/{reason}")
        self.logger.warning("%s: %s", redacted(url), reason)


class AnimeSpider(PoliteSpider):
    """A spider whose items are records of anime: it knows which it has, and how old they are."""

    store: RecordStore[CrawledAnime]

    def __init__(self, *args: Any, older_than: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.older_than: timedelta | None = refresh.age(older_than) if older_than else None
        self.asked: set[int] = set()

    def opened(self) -> None:
        """Open the records of earlier runs."""
        self.store = RecordStore(self.home / "spider" / "anime.jsonl", CrawledAnime)

    def closed(self, reason: str) -> None:  # noqa: ARG002
        """Leave the records in order."""
        self.store.close()

    def wants(self, anime_id: int) -> bool:
        """Return true if an anime is to be requested: not twice in a run, and not while its record is fresh."""
        if anime_id in self.asked:
            return False
        self.asked.add(anime_id)
        if self.store.is_fresh(anime_id, datetime.now(UTC), self.older_than):
            self.count("fresh")
            return False
        return True


def seen_at(response: Response) -> datetime:
    """When the site gave this page: now, or when it came into the cache."""
    if "cached" in response.flags and (date := response.headers.get("Date")):
        try:
            return parsedate_to_datetime(date.decode("latin-1")).astimezone(UTC)
        except ValueError:
            pass
    return datetime.now(UTC)
