"""Find anime by name: for sources that name titles and give no id."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable

import polars as pl


class TitleIndex:
    """Anime id by name. The main title leads, any other name counts where it names one anime alone."""

    def __init__(self, catalogue: pl.DataFrame) -> None:
        """``catalogue`` has the columns of ``schema.CATALOGUE``."""
        self._main = _unique(catalogue.select("title", "anime_id").iter_rows())
        named = ("title", "title_english", "synonyms")
        self._other = _unique(
            (name, anime_id)
            for anime_id, title, english, synonyms in catalogue.select("anime_id", *named).iter_rows()
            for name in (title, english, *(synonyms or ()))
        )

    def find(self, title: str) -> int | None:
        """Return the anime of this name; ``None`` without one, or for several."""
        key = _key(html.unescape(title))
        return self._main.get(key) or self._other.get(key)


def _unique(named: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    """Name → id, names of several anime left out."""
    found: dict[str, int | None] = {}
    for name, anime_id in named:
        if name and (key := _key(name)):
            found[key] = anime_id if found.get(key, anime_id) == anime_id else None
    return {key: anime_id for key, anime_id in found.items() if anime_id is not None}


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
