"""Main titles, synonyms, year, duration and untyped relations from the 2020 titles database."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl

from gars.datasets.schema import CATALOGUE
from gars.domain.errors import DataError

_COLUMNS = "anime_id, titles, genres, rating, members, episodes, duration, release_date, related_ids"
_KEPT = (
    *("anime_id", "title", "synonyms", "genres"),
    *("score", "members", "episodes", "duration_min", "year", "related"),
)
_BETWEEN = re.compile(r",(?! )")  # titles are joined by "," and hold ", " themselves


def read_titles(path: Path) -> pl.DataFrame:
    """Read table ``anime_meta``: one row per MyAnimeList id, catalogue columns. Raises ``DataError``.

    The list of titles begins with the main one. The others have no language, so they become synonyms.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM anime_meta ORDER BY anime_id").fetchall()
    except sqlite3.DatabaseError as error:
        raise DataError(
            f"{path}: is not the titles database: {error}", hint="gars data fetch mal-2020-titles"
        ) from error
    rows = []
    for anime_id, titles, genres, rating, members, episodes, duration, year, related in found:
        main, *others = [title.strip() for title in _BETWEEN.split(titles) if title.strip()]
        rows.append(
            {
                "anime_id": anime_id,
                "title": main,
                "synonyms": others,
                "genres": [genre.strip() for genre in genres.split(",") if genre.strip()],
                "score": rating or None,
                "members": members or None,
                "episodes": episodes or None,
                "duration_min": duration or None,
                "year": year or None,
                "related": [int(other) for other in related.split(",") if other],
            }
        )
    return pl.DataFrame(rows, schema={name: CATALOGUE[name] for name in _KEPT})
