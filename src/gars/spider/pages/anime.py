"""The page of one anime: a column of labelled lines, the synopsis, and the works it is tied to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Literal

from parsel import Selector

from gars.datasets.crawled import CrawledAnime, Relation
from gars.spider.pages.words import PageError, clean, linked, number, unique, whole, words

_NO_SYNOPSIS = ("no synopsis", "no background information")
_NAMES = frozenset({"producers", "licensors", "studios", "genres", "themes", "demographics"})


class AnimePage:
    """Reads one page; ``record`` is all of it, each method one field."""

    def __init__(self, html: str, url: str) -> None:
        self.page = Selector(html)
        self.url = url

    def record(self, seen_at: datetime) -> CrawledAnime:
        """Parse all fields of the page, as of ``seen_at`` (aware UTC).

        Raises:
            PageError: it is not the page of an anime: no id in its address, no title, or none of the labelled lines.
        """
        if not self._lines:
            raise PageError(f"{self.url}: has no labelled lines: it is not the page of an anime", hint=_LAYOUT)
        return CrawledAnime(
            anime_id=self.anime_id(),
            title=self.title(),
            title_english=self._text("english") or clean(self.page.css("p.title-english::text").get()),
            title_japanese=self._text("japanese"),
            synonyms=self.synonyms(),
            type=self._text("type"),
            episodes=whole(self._text("episodes")),
            status=self._text("status"),
            aired=self._text("aired"),
            premiered=self._text("premiered"),
            broadcast=self._text("broadcast"),
            producers=self._names("producers", "producer"),
            licensors=self._names("licensors", "licensor"),
            studios=self._names("studios", "studio"),
            source=self._text("source"),
            genres=self._names("genres", "genre"),
            themes=self._names("themes", "theme"),
            demographics=self._names("demographics", "demographic"),
            duration=self._text("duration"),
            rating=self._text("rating"),
            score=self.score(),
            scored_by=self.scored_by(),
            rank=self._count("ranked", "#"),
            popularity=self._count("popularity", "#"),
            members=self._count("members"),
            favorites=self._count("favorites"),
            synopsis=self.synopsis(),
            image=self.image(),
            url=self.url,
            relations=_relations(self.page),
            crawled_at=seen_at,
        )

    def anime_id(self) -> int:
        """Return the id in the canonical address of the page, or else in the requested address."""
        addresses = self.page.css("link[rel=canonical]::attr(href), meta[property='og:url']::attr(content)").getall()
        for address in (*addresses, self.url):
            work = linked(address)
            if work is not None and work[0] == "anime":
                return work[1]
        raise PageError(f"{self.url}: names no anime id", hint=_LAYOUT)

    def title(self) -> str:
        """The main title, in Latin letters. A title may be a word that elsewhere means nothing ("Unknown")."""
        for query in ("h1.title-name strong, h1 strong", "h1.title-name, h1 [itemprop=name]", "h1"):
            title = words(found) if (found := next(iter(self.page.css(query)), None)) else ""
            if title:
                return title
        raise PageError(f"{self.url}: has no title", hint=_LAYOUT)

    def synonyms(self) -> tuple[str, ...]:
        """The other titles; the page joins them with commas, so a title with a comma in it comes in pieces."""
        return unique((self._text("synonyms") or "").split(", "))

    def score(self) -> float | None:
        """The weighted mean of its ratings, up to 10."""
        shown = self.page.css("[itemprop=ratingValue]::text, .score-label::text").get()
        value = number(shown) if shown else number(self._before_bracket("score"))
        return value if value is not None and value <= _TOP else None

    def scored_by(self) -> int | None:
        """Return the number of ratings."""
        shown = self.page.css("[itemprop=ratingCount]::text").get()
        if shown:
            return whole(shown)
        _, found, rest = (self._text("score") or "").partition("scored by")
        return whole(rest) if found else None

    def synopsis(self) -> str | None:
        """The description with its paragraphs; ``None`` for "No synopsis has been added"."""
        box = next(iter(self.page.css("[itemprop=description]")), None)
        if box is None:
            return None
        # A line break of the source is a blank, one of the page a line.
        nodes = (node.root for node in box.xpath(".//text() | .//br"))
        pieces = (node.replace("\n", " ") if isinstance(node, str) else "\n" for node in nodes)
        lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
        text = "\n".join(line for line in lines if line)
        return None if not text or text.lower().startswith(_NO_SYNOPSIS) else text

    def image(self) -> str | None:
        """The address of its picture; the page loads it late, so it may stand in ``data-src``."""
        for picture in self.page.css("img[itemprop=image], div.leftside img"):
            address = picture.attrib.get("data-src") or picture.attrib.get("src")
            if address:
                return address
        return clean(self.page.css("meta[property='og:image']::attr(content)").get())

    @cached_property
    def _lines(self) -> dict[str, Selector]:
        """Label → the line it opens."""
        labels = self.page.css("span.dark_text")
        return {words(label).rstrip(":").lower(): label.xpath("./..")[0] for label in reversed(labels)}

    def _text(self, label: str) -> str | None:
        """Return the text after a label, without superscripts, hidden words and notes about the number."""
        line = self._lines.get(label)
        if line is None:
            return None
        seen = line.xpath(
            ".//text()[not(ancestor::span[@class='dark_text'] or ancestor::sup or ancestor::script"
            " or ancestor::*[contains(@style, 'display: none')] or ancestor::div[contains(@class, 'statistics-info')])]"
        )
        return clean("".join(seen.getall()))

    def _before_bracket(self, label: str) -> str | None:
        return (self._text(label) or "").split("(")[0]

    def _names(self, *labels: str) -> tuple[str, ...]:
        """Return the linked names after the first label on the page, which is in the singular for a single name."""
        for label in labels:
            line = self._lines.get(label)
            if line is not None:
                return unique(words(link) for link in line.css("a") if words(link).lower() != "add some")
        return ()

    def _count(self, label: str, sign: Literal["#", ""] = "") -> int | None:
        text = self._text(label) or ""
        return whole(text) if text.startswith(sign) else None


_TOP = 10
_LAYOUT = "the site may have changed its layout: compare the page with tests/fixtures/spider, then mend the parser"


def filled(records: Iterable[CrawledAnime]) -> dict[str, float]:
    """Field → share of records that know it: a field that falls to 0 is a layout that changed."""
    rows = list(records)
    return {
        name: sum(getattr(row, name) not in (None, ()) for row in rows) / len(rows)
        for name in (CrawledAnime.__struct_fields__ if rows else ())
    }


def _relations(page: Selector) -> tuple[Relation, ...]:
    """Return every relation in page order, each once: the site has shown a table, and later tiles above a table."""
    found = [*_tiles(page), *_rows(page, "entries-table"), *_rows(page, "anime_detail_related_anime")]
    return tuple(dict.fromkeys(found))


def _tiles(page: Selector) -> Iterator[Relation]:
    for tile in page.css("div.entries-tile div.entry"):
        # The tile words the kind with the type of the other work: "Sequel (TV)".
        kind = clean("".join(tile.css("div.relation ::text").getall()).split("(")[0])
        yield from _links(kind, tile.css("div.title a"))


def _rows(page: Selector, table: str) -> Iterator[Relation]:
    for row in page.css(f"table.{table} tr"):
        for label, works in zip(row.xpath("./td[1]"), row.xpath("./td[2]"), strict=False):
            yield from _links(clean(words(label).rstrip(":")), works.css("a"))


def _links(kind: str | None, links: Iterable[Selector]) -> Iterator[Relation]:
    for link in links:
        work = linked(link.attrib.get("href"))
        title = clean(words(link))
        if kind and work and title:
            yield Relation(kind, *work, title)
