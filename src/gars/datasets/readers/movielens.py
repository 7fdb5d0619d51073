"""MovieLens: stars to 5 in halves are doubled to the scale 1–10; genres are parted by bars."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file
from gars.datasets.readers.dialects import Layout

_YEAR = re.compile(r"\((\d{4})\)\s*$")
_NO_GENRE = "(no genres listed)"


def read_catalogue(layout: Layout) -> pl.DataFrame:
    """Read ``movies.csv`` or ``movies.dat``; returns the catalogue's schema. Raises ``DataError``."""
    header = None if layout.has_header else layout.header
    return read_catalogue_file(layout.path, _movie, delimiter=layout.separator, header=header, encoding=layout.encoding)


def _movie(row: Row) -> dict[str, Any]:
    title = row.raw("title")
    year = _YEAR.search(title or "")
    genres = (row.raw("genres") or "").split("|")
    return {
        "anime_id": row.required("movieId"),
        "title": title,
        "genres": [genre for genre in genres if genre and genre != _NO_GENRE],
        "year": int(year[1]) if year else None,
    }
