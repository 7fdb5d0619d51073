"""Pages that list anime: the ranking, fifty a page, and one season of one year."""

from __future__ import annotations

import re

import msgspec
from parsel import Selector

from gars.spider.pages.words import PageError, clean, linked, number, whole, words

SEASONS = ("winter", "spring", "summer", "fall")


class ListedAnime(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an anime in a listing."""

    anime_id: int
    title: str
    url: str
    type: str | None = None
    episodes: int | None = None
    aired: str | None = None
    season: str | None = None
    rank: int | None = None
    score: float | None = None
    members: int | None = None


class TopPage:
    """One page of the ranking."""

    def __init__(self, html: str, url: str) -> None:
        self.page = Selector(html)
        self.url = url

    def entries(self) -> tuple[ListedAnime, ...]:
        """Its anime in order. Raises ``PageError`` when a row names none."""
        return tuple(map(self._entry, self.page.css("tr.ranking-list")))

    def next_page(self) -> str | None:
        """The address of the page after this one, ``None`` on the last."""
        return self.page.css("a.link-blue-box.next::attr(href)").get()

    def _entry(self, row: Selector) -> ListedAnime:
        anime_id, title, address = _named(row, "h3 a, a.hoverinfo_trigger", self.url)
        lines = [clean(line) for line in row.css("div.information ::text").getall()]
        # Three lines: type and episodes, months of airing, members; the second may be empty.
        texts = [line for line in lines if line]
        kind = texts[0] if texts else ""
        members = next((line for line in texts if line.endswith("members")), None)
        aired = next((line for line in texts[1:] if line != members), None)
        return ListedAnime(
            anime_id=anime_id,
            title=title,
            url=address,
            type=clean(kind.split("(")[0]),
            episodes=whole(kind.partition("(")[2]),
            aired=clean((aired or "").replace(" - ", " to ")),
            rank=whole(words(rank[0])) if (rank := row.css("td.rank")) else None,
            score=number(words(score[0])) if (score := row.css("td.score")) else None,
            members=whole(members),
        )


class SeasonPage:
    """One season: ``/anime/season/1998/spring``."""

    def __init__(self, html: str, url: str) -> None:
        self.page = Selector(html)
        self.url = url

    def entries(self) -> tuple[ListedAnime, ...]:
        """Its anime, those that go on from earlier seasons too, each once. Raises ``PageError`` when one has no id."""
        found: dict[int, ListedAnime] = {}
        for card in self.page.css("div.seasonal-anime"):
            entry = self._entry(card)
            found.setdefault(entry.anime_id, entry)
        return tuple(found.values())

    def season(self) -> str | None:
        """``Spring 1998``, from the address."""
        match = re.search(r"/season/(\d{4})/([a-z]+)", self.url)
        return f"{match.group(2).capitalize()} {match.group(1)}" if match and match.group(2) in SEASONS else None

    def _entry(self, card: Selector) -> ListedAnime:
        anime_id, title, address = _named(card, "a.link-title, h2 a", self.url)
        items = [words(item) for item in card.css("div.info span.item")]
        starts = next((item for item in items if re.search(r"\b\d{4}\b", item)), None)
        episodes = next((item for item in items if "ep" in item.lower()), None)
        return ListedAnime(
            anime_id=anime_id,
            title=title,
            url=address,
            episodes=whole(episodes),
            aired=clean(starts),
            season=self.season(),
            score=number(card.css("span.js-score::text").get()),
            members=whole(card.css("span.js-members::text").get()),
        )


def _named(node: Selector, query: str, url: str) -> tuple[int, str, str]:
    for link in node.css(query):
        work, title = linked(link.attrib.get("href")), words(link)
        if work is not None and work[0] == "anime" and title:
            return work[1], title, link.attrib["href"]
    raise PageError(
        f"{url}: an entry has no link to an anime", hint="the site may have changed its layout: mend the parser"
    )
