"""Kaggle dbdmobile "MyAnimeList Dataset 2023": 'UNKNOWN' for unknown, pictures by address, user names never read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``anime-dataset-2023.csv``; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, _anime)


def _anime(row: Row) -> dict[str, Any]:
    released, year = row.starts("Aired")
    return {
        "anime_id": row.required("anime_id"),
        "title": row.raw("Name"),
        "title_english": row.text("English name"),
        "title_japanese": row.text("Other name"),
        "type": row.kind("Type"),
        "episodes": row.whole("Episodes"),
        "score": row.number("Score", maximum=10),
        "members": row.whole("Members"),
        "genres": row.names("Genres"),
        "studios": row.names("Studios"),
        "source": row.text("Source"),
        "released": released,
        "year": year or row.last_year("Premiered"),
        "duration_min": row.minutes("Duration"),
        "image": row.text("Image URL"),
        "synopsis": row.synopsis("Synopsis"),
        "adult": (row.text("Rating") or "").startswith("Rx") or "Hentai" in row.names("Genres"),
    }
