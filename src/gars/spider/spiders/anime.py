"""``anime``: one record a catalogue page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
from scrapy import Request
from scrapy.http import Response

from gars.spider import refresh
from gars.spider.pages.anime import AnimePage
from gars.spider.pages.listings import SeasonPage, TopPage
from gars.spider.pages.words import PageError, linked
from gars.spider.spiders.polite import AnimeSpider, seen_at


class Anime(AnimeSpider):
    """Asks for the anime of ``ids``, ``ids_file`` or ``seasons``; without these, of the whole ranking.

    ``relations=yes`` follows the ties of each page to other anime. What has a record younger than ``older_than`` is
    not asked for (any record is young enough when that is not given).
    """

    name = "anime"

    def __init__(
        self, *args: Any, ids: str = "", ids_file: str = "", seasons: str = "", relations: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.ids = list(refresh.ids(ids))
        if ids_file:
            self.ids += refresh.ids(Path(ids_file).read_text())
        self.seasons = list(refresh.seasons(seasons))
        self.relations = relations.lower() in ("yes", "true", "1")

    async def start(self) -> AsyncIterator[Request]:
        """The first requests."""
        for anime_id in self.ids:
            for request in self._page_of(anime_id):
                yield request
        for year, season in self.seasons:
            yield self._listing(f"{self.site}/anime/season/{year}/{season}", SeasonPage)
        if not self.ids and not self.seasons:
            yield self._listing(f"{self.site}/topanime.php?limit=0", TopPage)

    def parse_anime(self, response: Response) -> Iterator[dict[str, Any] | Request]:
        """The record of a page, and if asked for the pages it is tied to."""
        try:
            record = AnimePage(response.text, response.url).record(seen_at(response))
        except (PageError, AttributeError) as error:
            self.give_up("not the page of an anime", f"{response.url} ({error})")
            return
        yield msgspec.to_builtins(record)
        if self.relations:
            for tie in record.relations:
                if tie.medium == "anime":
                    yield from self._page_of(tie.id)

    def parse_listing(self, response: Response, page: type[TopPage] | type[SeasonPage]) -> Iterator[Request]:
        """The pages a listing names, then the listing after it."""
        listing = page(response.text, response.url)
        try:
            for entry in listing.entries():
                yield from self._page_of(entry.anime_id)
        except PageError as error:
            self.give_up("not a listing", f"{response.url} ({error})")
        if isinstance(listing, TopPage) and (address := listing.next_page()):
            yield self._listing(response.urljoin(address), TopPage)

    def _page_of(self, anime_id: int) -> Iterator[Request]:
        if self.wants(anime_id):
            address = f"{self.site}/anime/{anime_id}"
            assert linked(address) == ("anime", anime_id)
            yield Request(address, callback=self.parse_anime, errback=self.failed)

    def _listing(self, address: str, page: type[TopPage] | type[SeasonPage]) -> Request:
        parse = self.parse_top if page is TopPage else self.parse_season
        return Request(address, callback=parse, errback=self.failed, priority=-1)

    def parse_top(self, response: Response) -> Iterator[Request]:
        """A page of the ranking."""
        return self.parse_listing(response, TopPage)

    def parse_season(self, response: Response) -> Iterator[Request]:
        """A page of a season."""
        return self.parse_listing(response, SeasonPage)
