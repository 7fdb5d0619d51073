"""``lists``: public lists. A name is hashed before the first request; after it, only the number is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from gars.datasets.identities import name_hasher
from gars.domain.errors import InvalidInputError
from gars.spider import refresh
from gars.spider.deletions import deleted
from gars.spider.pages import animelist
from gars.spider.pages.animelist import ListEntry, plain_row
from gars.spider.pages.words import PageError
from gars.spider.spiders.polite import PoliteSpider
from gars.spider.store import CrawledList, RecordStore


class Lists(PoliteSpider):
    """Reads the lists of the users in the file ``names``, one a line; a list is kept whole or not at all.

    Neither the queue nor the answers go to disk, because both name people; a stopped run is taken up from
    the lists that are there. Users who were deleted are not read again.
    """

    name = "lists"
    store: RecordStore[CrawledList]

    def __init__(self, *args: Any, names: str = "", older_than: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.older_than: timedelta | None = refresh.age(older_than) if older_than else None
        if not names:
            raise InvalidInputError("whose lists?", hint="give a file with a user name a line: names=FILE")
        lines = [line.strip() for line in Path(names).read_text(encoding="utf-8").splitlines()]
        # The site takes names in any case; of two spellings the first counts.
        self._names = list({line.casefold(): line for line in reversed(lines) if line and line[0] != "#"}.values())

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        """Neither cache nor job folder."""
        super().update_settings(settings)
        settings.setdict({"HTTPCACHE_ENABLED": False, "JOBDIR": None}, priority="spider")

    def opened(self) -> None:
        """Open the lists of earlier runs. Raises ``InvalidInputError`` when names would go to disk."""
        settings = self.crawler.settings
        if settings.getbool("HTTPCACHE_ENABLED") or settings.get("JOBDIR"):
            raise InvalidInputError(
                "lists are read without a cache and a job folder: both would keep names",
                hint="leave out HTTPCACHE_ENABLED and JOBDIR; a stopped run goes on without them",
            )
        self.store = RecordStore(self.home / "spider" / "lists.jsonl", CrawledList)

    def closed(self, reason: str) -> None:  # noqa: ARG002
        """Leave the lists in order."""
        self.store.close()

    async def start(self) -> AsyncIterator[Request]:
        """The first page of every list that is wanted."""
        users = name_hasher(self.home)(pl.Series(self._names, dtype=pl.String)).to_list()
        with deleted(self.home) as is_deleted:
            gone = {user_id for user_id in users if is_deleted(user_id)}
        for name, user_id in zip(self._names, users, strict=True):
            if user_id in gone:
                self.count("deleted users")
            elif self.store.is_fresh(user_id, datetime.now(UTC), self.older_than):
                self.count("fresh")
            else:
                yield self._page(name, user_id, {})

    def parse_page(
        self, response: Response, name: str, user_id: int, found: dict[int, ListEntry]
    ) -> Iterator[Request | dict[str, Any]]:
        """Collect a page; after the last, keep the list and give its rows."""
        try:
            entries = animelist.entries(response.body, f"the list of user {user_id}")
        except PageError as error:
            self.give_up("not a list", error.message)
            return
        known = len(found)
        found.update({entry.anime_id: entry for entry in entries})
        if len(found) > known:  # a page with nothing new is after the last, whatever it holds
            yield self._page(name, user_id, found)
            return
        rows = tuple((one.anime_id, one.rating, one.status, one.time) for one in found.values())
        self.store.add(CrawledList(user_id=user_id, crawled_at=datetime.now(UTC), rows=rows))
        self.count("lists")
        for entry in found.values():
            yield plain_row(user_id, entry)

    def failed(self, failure: Failure) -> None:
        """A private list or an unknown user is counted as such; nothing names them."""
        if isinstance(failure.value, HttpError):
            closed = animelist.why_closed(failure.value.response.status)
            if closed:
                self.give_up(closed, "a list")
                return
        super().failed(failure)

    def _page(self, name: str, user_id: int, found: dict[int, ListEntry]) -> Request:
        address = self.site + animelist.page_address(name, len(found))
        passed = {"name": name, "user_id": user_id, "found": found}
        # Later pages first, so that few lists are half-read at a time.
        return Request(address, self.parse_page, errback=self.failed, cb_kwargs=passed, priority=bool(found))
