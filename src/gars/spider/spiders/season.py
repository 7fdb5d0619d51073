"""``season``: the anime of one or several seasons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from scrapy import Request
from scrapy.http import Response

from gars.domain.errors import InvalidInputError
from gars.spider import refresh
from gars.spider.pages.listings import SeasonPage
from gars.spider.pages.words import PageError
from gars.spider.spiders.polite import PoliteSpider


class Season(PoliteSpider):
    """Reads ``seasons`` such as ``1998-spring,1998-summer``."""

    name = "season"

    def __init__(self, *args: Any, seasons: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seasons = list(refresh.seasons(seasons))
        if not self.seasons:
            raise InvalidInputError("which season?", hint="scrapy: -a seasons=1998-spring; gars: --seasons 1998-spring")

    async def start(self) -> AsyncIterator[Request]:
        """A request a season."""
        for year, season in self.seasons:
            yield Request(f"{self.site}/anime/season/{year}/{season}", errback=self.failed)

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        """The entries of a season."""
        try:
            yield from map(msgspec.to_builtins, SeasonPage(response.text, response.url).entries())
        except PageError as error:
            self.give_up("not a listing", f"{response.url} ({error})")
