"""Words and numbers as the pages write them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from parsel import Selector

from gars.domain.errors import DataError

_UNKNOWN = frozenset({"", "n/a", "none", "none found", "none found, add some", "unknown", "?", "-", "not available"})
_ANIME_LINK = re.compile(r"(?:^|/)(anime|manga)/(\d+)(?:[/?#]|$)")


class PageError(DataError):
    """A page that is not laid out as its parser expects."""

    code = "unexpected_page"


def clean(text: str | None) -> str | None:
    """One line of words with single blanks; ``None`` for nothing and for the site's words for nothing."""
    line = " ".join((text or "").split()).strip()
    return None if line.lower() in _UNKNOWN else line


def words(node: Selector) -> str:
    """All text below a node, as a reader sees it."""
    return " ".join("".join(node.xpath(".//text()").getall()).split())


def number(text: str | None) -> float | None:
    """The number in ``#1,234`` or ``8.75``, ``None`` when there is none or it is 0 (the site's "not yet")."""
    match = re.search(r"\d[\d,]*(?:\.\d+)?", text or "")
    value = float(match.group().replace(",", "")) if match else 0.0
    return value or None


def whole(text: str | None) -> int | None:
    """A whole number above zero."""
    value = number(text)
    return None if value is None else int(value)


def unique(names: Iterable[str | None]) -> tuple[str, ...]:
    """Return distinct names in order, without empty ones."""
    return tuple(dict.fromkeys(filter(None, map(clean, names))))


def linked(address: str | None) -> tuple[str, int] | None:
    """``("anime", 1)`` of an address such as ``/anime/1/Name``, ``None`` of any other."""
    match = _ANIME_LINK.search(address or "")
    return (match.group(1), int(match.group(2))) if match else None
