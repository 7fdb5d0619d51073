"""The works an anime is tied to: the site has shown them as a table, and later as tiles above a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from parsel import Selector

from gars.datasets.crawled import Relation
from gars.spider.pages.words import clean, linked, words


def relations(page: Selector) -> tuple[Relation, ...]:
    """Every relation of either layout, in page order, each once."""
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
