"""``top``: the ranking, an item a place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from scrapy import Request
from scrapy.http import Response

from gars.spider.pages.listings import TopPage
from gars.spider.pages.words import PageError
from gars.spider.spiders.polite import PoliteSpider


class Top(PoliteSpider):
    """Reads ``pages`` pages of fifty, or all of them."""

    name = "top"

    def __init__(self, *args: Any, pages: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pages = int(pages) if pages else None

    async def start(self) -> AsyncIterator[Request]:
        """The first page."""
        yield Request(f"{self.site}/topanime.php?limit=0", errback=self.failed, cb_kwargs={"page": 1})

    def parse(self, response: Response, page: int = 1) -> Iterator[dict[str, Any] | Request]:
        """The entries of a page, and the page after it."""
        listing = TopPage(response.text, response.url)
        try:
            yield from map(msgspec.to_builtins, listing.entries())
        except PageError as error:
            self.give_up("not a listing", f"{response.url} ({error})")
        address = listing.next_page()
        if address and (self.pages is None or page < self.pages):
            yield response.follow(address, errback=self.failed, cb_kwargs={"page": page + 1})
