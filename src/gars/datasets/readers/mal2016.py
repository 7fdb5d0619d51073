"""Kaggle CooperUnion "Anime Recommendations Database" (2016): -1 = watched, not scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file

CATALOGUE_HEADER = ("anime_id", "name", "genre", "type", "episodes", "rating", "members")


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``anime.csv``; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, _anime)


def _anime(row: Row) -> dict[str, Any]:
    return {
        "anime_id": row.required("anime_id"),
        "title": row.raw("name"),
        "type": row.kind("type"),
        "episodes": row.whole("episodes"),
        "score": row.number("rating", maximum=10),
        "members": row.whole("members"),
        "genres": row.names("genre"),
    }
