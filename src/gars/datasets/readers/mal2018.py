"""Kaggle azathoth42 "MyAnimeList Dataset" (2018): relations and days as Python dicts in a cell, read without eval."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, first_day, read_catalogue_file


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``AnimeList.csv``; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, _anime)


def _anime(row: Row) -> dict[str, Any]:
    released, year = _aired(row)
    relations = _relations(row)
    return {
        "anime_id": row.required("anime_id"),
        "title": row.raw("title"),
        "title_english": row.text("title_english"),
        "title_japanese": row.text("title_japanese"),
        "synonyms": row.names("title_synonyms"),
        "type": row.kind("type"),
        "episodes": row.whole("episodes"),
        "score": row.number("score", maximum=10),
        "members": row.whole("members"),
        "genres": row.names("genre"),
        "studios": row.names("studio"),
        "source": row.text("source"),
        "released": released,
        "year": year,
        "duration_min": row.minutes("duration"),
        "image": row.text("image_url"),
        "adult": (row.text("rating") or "").startswith("Rx") or "Hentai" in row.names("genre"),
        "prequels": relations.get("Prequel", []),
        "sequels": relations.get("Sequel", []),
        "related": sorted({anime for kind in relations.values() for anime in kind}),
    }


def _aired(row: Row) -> tuple[date | None, int | None]:
    """Return first day and year, from the ISO text in ``aired``, else from ``aired_string`` or ``premiered``."""
    aired = row.mapping("aired")
    start = aired.get("from")
    day, year = first_day(start) if isinstance(start, str) else (None, None)
    start_day, start_year = row.starts("aired_string")
    # A year alone is written as January 1st in ``aired``: only a day that both name is a day.
    if start_year is not None and start_day is None:
        day = None
    return day or start_day, year or start_year or row.last_year("premiered")


def _relations(row: Row) -> dict[str, list[int]]:
    """Kind of relation → MyAnimeList ids of anime (manga left out)."""
    found: dict[str, list[int]] = {}
    for kind, entries in row.mapping("related").items():
        ids = [entry["mal_id"] for entry in entries if isinstance(entry, dict) and entry.get("type") == "anime"]
        if ids:
            found[str(kind)] = sorted({int(anime) for anime in ids})
    return found
