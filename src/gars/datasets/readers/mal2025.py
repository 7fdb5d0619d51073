"""Kaggle "User Animelist Dataset" (2025): a site's own ids; each title's address names its MyAnimeList id."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file

UNLISTED = 1_000_000_000
"""A title without a MyAnimeList id is kept under its own id plus this, so that none of its ratings is lost."""
_MAL_ADDRESS = re.compile(r"myanimelist\.net/anime/(\d+)(?:/|$)")

TranslateIds = Callable[[pl.Series], pl.Series]


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``animes.csv`` by MyAnimeList id; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, _anime)


def translate_ids(path: Path) -> TranslateIds:
    """Return a function from a column of the site's ids to ids of the catalogue in ``path``. Raises ``DataError``."""
    own: dict[int, int] = {}

    def note(row: Row) -> dict[str, Any]:
        anime = _anime(row)
        own[row.required("animeID", lowest=0)] = anime["anime_id"]
        return anime

    read_catalogue_file(path, note)
    table = np.arange(max(own, default=-1) + 1, dtype=np.int64) + UNLISTED
    table[list(own)] = list(own.values())

    def translated(ids: pl.Series) -> pl.Series:
        listed = (ids < len(table)).fill_null(value=False)
        found = table[ids.set(~listed, 0).to_numpy()] if len(table) else np.zeros(len(ids), np.int64)
        return pl.select(pl.when(listed).then(pl.lit(pl.Series(found))).otherwise(ids + UNLISTED)).to_series()

    return translated


def _anime(row: Row) -> dict[str, Any]:
    site_id = row.required("animeID", lowest=0)
    match = _MAL_ADDRESS.search(row.text("mal_url") or "")
    genres = _words(row, "genres")
    year = row.number("year")
    return {
        "anime_id": int(match[1]) if match and int(match[1]) else UNLISTED + site_id,
        "title": row.raw("title"),
        "synonyms": [name] if (name := row.text("alternative_title")) else [],
        "type": row.kind("type"),
        "year": int(year) if year else None,
        "score": row.number("score", maximum=10),
        "episodes": row.whole("episodes"),
        "image": row.text("image_url"),
        "genres": genres,
        "tags": [word for word in _words(row, "genres_detailed") if word not in genres],
    }


def _words(row: Row, column: str) -> list[str]:
    """Read a list written with commas, or as a Python list of words."""
    text = row.text(column) or ""
    if not text.startswith("["):
        return row.names(column)
    try:
        words = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return row.names(column)
    return list(dict.fromkeys(word.strip() for word in words if isinstance(word, str) and word.strip()))
