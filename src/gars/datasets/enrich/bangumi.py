"""Titles in three languages, release days, ids and streaming sites from ``bangumi-data``."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl

from gars.datasets.schema import CATALOGUE
from gars.domain.errors import DataError

_JAPAN = timedelta(hours=9)
_TYPES = {"tv": "TV", "movie": "Movie", "ova": "OVA", "web": "ONA"}
_CHINESE = ("zh-Hans", "zh-Hant")
_KEPT = (
    *("anime_id", "title_japanese", "title_english", "title_chinese", "synonyms"),
    *("type", "released", "anilist_id", "anidb_id", "tmdb_id", "streaming"),
)


class _Site(msgspec.Struct):
    site: str
    id: str | None = None
    url: str | None = None


class _Item(msgspec.Struct):
    title: str
    type: str
    lang: str
    begin: str = ""
    title_translate: dict[str, list[str]] = msgspec.field(name="titleTranslate", default_factory=dict)
    sites: list[_Site] = msgspec.field(default_factory=list)


class _SiteMeta(msgspec.Struct):
    title: str
    type: str
    url_template: str = msgspec.field(name="urlTemplate", default="")


class _Bangumi(msgspec.Struct):
    site_meta: dict[str, _SiteMeta] = msgspec.field(name="siteMeta")
    items: list[_Item]


def read_bangumi(path: Path) -> pl.DataFrame:
    """Read ``data.json``: one row per MyAnimeList id, catalogue columns. Raises ``DataError``.

    Of several items with one id (a season split in parts) the earliest is used.
    """
    try:
        bangumi = msgspec.json.decode(path.read_bytes(), type=_Bangumi)
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: is not bangumi-data: {error}", hint="gars data fetch bangumi-data") from error
    rows = [row for item in sorted(bangumi.items, key=_began) if (row := _row(item, bangumi.site_meta))]
    frame = pl.DataFrame(rows, schema={name: CATALOGUE[name] for name in _KEPT})
    return frame.unique("anime_id", keep="first", maintain_order=True)


def _row(item: _Item, meta: dict[str, _SiteMeta]) -> dict[str, object] | None:
    ids = {site.site: site.id for site in item.sites if site.id}
    if not ids.get("mal", "").isdigit():
        return None
    translated = item.title_translate
    chinese = [title for language in _CHINESE for title in translated.get(language, [])]
    english = translated.get("en", [])
    japanese = [item.title] if item.lang == "ja" else translated.get("ja", [])
    return {
        "anime_id": int(ids["mal"]),
        "title_japanese": next(iter(japanese), None),
        "title_english": next(iter(english), None),
        "title_chinese": next(iter(chinese), None),
        "synonyms": [item.title, *english[1:], *chinese[1:], *translated.get("ja", [])],
        "type": _TYPES.get(item.type),
        "released": _day(item.begin),
        "anilist_id": _number(ids.get("aniList")),
        "anidb_id": _number(ids.get("anidb")),
        "tmdb_id": "/".join(ids["tmdb"].split("/")[:2]) if "tmdb" in ids else None,
        "streaming": [
            {"site": meta[site.site].title, "url": address}
            for site in item.sites
            if site.site in meta and meta[site.site].type == "onair" and (address := _address(site, meta[site.site]))
        ],
    }


def _address(site: _Site, meta: _SiteMeta) -> str | None:
    if site.url:
        return site.url
    return meta.url_template.replace("{{id}}", site.id) if site.id and meta.url_template else None


def _began(item: _Item) -> str:
    return item.begin or "9999"


def _day(begin: str) -> date | None:
    """Return the first day in Japan; the file has UTC times."""
    return (datetime.fromisoformat(begin) + _JAPAN).date() if begin else None


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isdigit() else None
