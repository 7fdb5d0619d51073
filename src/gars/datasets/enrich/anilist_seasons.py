"""The titles of the latest seasons, from the AniList table of 2025 and 2026."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue.synopsis import plain_text
from gars.datasets.catalogue.vocabulary import ANILIST_AIRING, ANILIST_TYPES, colour_of, genres_of, trailer_address
from gars.datasets.schema import CATALOGUE
from gars.domain.errors import DataError

_STREAMING = {
    "Adult Swim": "Adult Swim",
    "Amazon Prime Video": "Amazon Prime Video",
    "Bandai Channel": "Bandai Channel",
    "Bilibili TV": "Bilibili TV",
    "Coolmic": "Coolmic",
    "Crunchyroll": "Crunchyroll",
    "Disney Plus": "Disney Plus",
    "HIDIVE": "HIDIVE",
    "Hulu": "Hulu",
    "Laftel": "Laftel",
    "Max": "Max",
    "Netflix": "Netflix",
    "Niconico Video": "Niconico",
    "OceanVeil": "OceanVeil",
    "Prime Video": "Amazon Prime Video",
    "Tubi TV": "Tubi TV",
    "Viki": "Viki",
    "iQ": "iQIYI",
    "iQIYI": "iQIYI",
}
"""The names that are streaming services; the column also has social networks, official sites, and YouTube, where
most links lead to trailers."""
_KEPT = (
    *("anime_id", "title", "title_english", "title_japanese", "title_chinese", "synonyms", "type", "episodes"),
    *("score", "members", "members_at", "genres", "tags", "studios", "source", "released", "year", "season"),
    *("airing", "duration_min", "image", "cover_colour", "synopsis", "trailer", "adult", "anilist_id", "streaming"),
)


@dataclass(frozen=True, slots=True, eq=False)
class SeasonTitles:
    """The table, split by whether the MyAnimeList id is known."""

    titles: pl.DataFrame
    """Catalogue columns, one row per MyAnimeList id."""
    without_id: pl.DataFrame
    """The same columns with a null ``anime_id``: what only AniList lists."""
    repeated: int
    """Rows left out because a row before them, with more members, has their MyAnimeList id."""


def read_seasons(path: Path, mal_ids: Mapping[int, int]) -> SeasonTitles:
    """Read the table; ``mal_ids`` (AniList id → MyAnimeList id) fills ids that rows lack. Raises ``DataError``."""
    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8", newline="") as file:
        for cells in csv.DictReader(file):
            try:
                rows.append(_row(cells, mal_ids))
            except (KeyError, ValueError) as error:
                raise DataError(
                    f"{path}: row {len(rows) + 1} is not a row of the AniList seasons: {error!r}",
                    hint="gars data fetch anilist-seasons-2026",
                ) from error
    frame = pl.DataFrame(rows, {name: CATALOGUE[name] for name in _KEPT})
    known = frame.filter(pl.col("anime_id").is_not_null())
    titles = known.sort(pl.col("members").fill_null(0), descending=True, maintain_order=True)
    titles = titles.unique("anime_id", keep="first", maintain_order=True)
    return SeasonTitles(titles, frame.filter(pl.col("anime_id").is_null()), known.height - titles.height)


def _row(cells: Mapping[str, str], mal_ids: Mapping[int, int]) -> dict[str, Any]:
    anilist_id = int(cells["anime_id"])
    quarter, _, year = cells["season"].partition(" ")
    released = _day(cells["start_date"])
    score = _number(cells["score"]) or _number(cells["mean_score"])
    chinese = cells["country_of_origin"] in ("CN", "TW", "HK")
    return {
        "anime_id": int(float(cells["mal_id"])) if cells["mal_id"] else mal_ids.get(anilist_id),
        "title": cells["title"].strip() or None,
        "title_english": cells["english_title"].strip() or None,
        "title_japanese": None if chinese else cells["japanese_title"].strip() or None,
        "title_chinese": (cells["japanese_title"].strip() or None) if chinese else None,
        "synonyms": _names(cells["synonyms"]),
        "type": ANILIST_TYPES.get(cells["type"]),
        "episodes": _whole(cells["episodes"]),
        "score": score / 10 if score else None,
        "members": _whole(cells["members"]),
        "members_at": date.fromisoformat(cells["collected_at"][:10]) if _whole(cells["members"]) else None,
        "genres": genres_of(_names(cells["genres"])),
        "tags": _names(cells["tags"]),
        "studios": _names(cells["main_studios"]),
        "source": cells["source"].replace("_", " ").capitalize() if cells["source"] not in ("", "OTHER") else None,
        "released": released,
        "year": released.year if released else _whole(cells["season_year"]),
        "season": f"{year}-{quarter.lower()}" if year.isdecimal() else None,
        "airing": ANILIST_AIRING.get(cells["status"]),
        "duration_min": _whole(cells["duration"]),
        "image": cells["cover_image_large"].strip() or None,
        "cover_colour": colour_of(cells["cover_image_color"]),
        "synopsis": plain_text(cells["synopsis"]),
        "trailer": trailer_address(cells["trailer_site"], cells["trailer_id"]),
        "adult": True if cells["is_adult"] == "True" else None,
        "anilist_id": anilist_id,
        "streaming": [
            {"site": site, "url": None}
            for site in dict.fromkeys(
                _STREAMING[name] for name in _names(cells["streaming_sites"]) if name in _STREAMING
            )
        ],
    }


def _names(value: str) -> list[str]:
    return list(dict.fromkeys(name for part in value.split(";") if (name := part.strip())))


def _number(value: str) -> float | None:
    return float(value) or None if value else None


def _whole(value: str) -> int | None:
    return int(float(value)) or None if value else None


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value.count("-") == 2 else None
