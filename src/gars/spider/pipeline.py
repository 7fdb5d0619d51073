"""Every record of an anime is kept as it comes, once."""

from __future__ import annotations

from typing import Any

import msgspec
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from gars.datasets.crawled import CrawledAnime
from gars.spider.spiders.polite import AnimeSpider


class KeepRecords:
    """Writes the records of a spider into its store; other items pass through."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._written: set[int] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> KeepRecords:
        """As Scrapy makes it."""
        return cls(crawler)

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Keep an item; two addresses may lead to one anime, of which the first counts."""
        spider = self._crawler.spider
        if isinstance(spider, AnimeSpider):
            record = msgspec.convert(item, CrawledAnime)
            if record.anime_id in self._written:
                raise DropItem(f"anime {record.anime_id} came twice")
            self._written.add(record.anime_id)
            spider.store.add(record)
        return item
