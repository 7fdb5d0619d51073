"""``jikan``: the same records from the Jikan API, which is open to programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings

from gars.spider import politeness, refresh
from gars.spider.pages import jikan
from gars.spider.pages.words import PageError
from gars.spider.spiders.polite import AnimeSpider, seen_at


class Jikan(AnimeSpider):
    """Asks for the anime of ``ids`` or ``ids_file``; without these, of the whole ranking.

    The API allows three requests a second and sixty a minute. It marks its answers (ETag), so an answer that has not
    changed is not sent again.
    """

    name = "jikan"
    address_setting = "GARS_API"
    least_delay_s = politeness.API_DELAY_S

    def __init__(self, *args: Any, ids: str = "", ids_file: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ids = list(refresh.ids(ids))
        if ids_file:
            self.ids += refresh.ids(Path(ids_file).read_text())

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """The pace of the API, and a cache that asks whether an answer still holds."""
        super().update_settings(settings)
        local = politeness.is_this_machine(settings["GARS_API"])
        settings.setdict(
            {
                "DOWNLOAD_DELAY": settings.getfloat("DOWNLOAD_DELAY") if local else cls.least_delay_s,
                "HTTPCACHE_POLICY": "scrapy.extensions.httpcache.RFC2616Policy",
                "HTTPCACHE_ALWAYS_STORE": True,
                "HTTPCACHE_EXPIRATION_SECS": 0,
            },
            priority="spider",
        )

    async def start(self) -> AsyncIterator[Request]:
        """The first requests."""
        for anime_id in self.ids:
            for request in self._answer_of(anime_id):
                yield request
        if not self.ids:
            yield self._page(1)

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        """The record of an answer."""
        try:
            yield msgspec.to_builtins(jikan.anime(response.body, response.url, seen_at(response)))
        except PageError as error:
            self.give_up("not an anime", f"{response.url} ({error})")

    def parse_page(self, response: Response, page: int) -> Iterator[Request]:
        """The anime of a page of the ranking, and the page after it."""
        try:
            ids, more = jikan.listed(response.body, response.url)
        except PageError as error:
            self.give_up("not a listing", f"{response.url} ({error})")
            return
        for anime_id in ids:
            yield from self._answer_of(anime_id)
        if more:
            yield self._page(page + 1)

    def _answer_of(self, anime_id: int) -> Iterator[Request]:
        if self.wants(anime_id):
            yield Request(f"{self.site}/anime/{anime_id}/full", errback=self.failed)

    def _page(self, page: int) -> Request:
        address = f"{self.site}/top/anime?page={page}"
        return Request(address, self.parse_page, errback=self.failed, cb_kwargs={"page": page}, priority=-1)
