"""Kaggle hernan4444 "Anime Recommendation Database 2020": 'Unknown' for unknown, 0 = no score."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file
from gars.datasets.statuses import STATUS_CODES, look_up
from gars.domain.errors import DataError


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``anime.csv``; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, lambda row: anime(row, "MAL_ID", "Japanese name"))


def read_synopses(path: Path) -> pl.DataFrame:
    """Read ``anime_with_synopsis.csv``: columns ``anime_id, synopsis``. Raises ``DataError``."""
    read = read_catalogue_file(
        path,
        lambda row: {
            "anime_id": row.required("MAL_ID"),
            "title": row.raw("Name"),
            "synopsis": row.synopsis("sypnopsis"),  # the file's own spelling
        },
    )
    return read.select("anime_id", "synopsis").drop_nulls()


def read_status_codes(path: Path) -> dict[str, str]:
    """Read ``watching_status.csv`` (its header has a blank): code → status word of the normal form.

    A description GARS does not know leaves the code without a meaning, so its rows get no status. Raises ``DataError``.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    try:
        codes = {row["status"].strip(): _meaning(row["description"]) for row in rows}
    except (KeyError, AttributeError) as error:
        raise DataError(
            f"{path}: a line has not two cells, status and description", hint="fetch the file again from its source"
        ) from error
    return {code: word for code, word in codes.items() if word} or STATUS_CODES


def _meaning(description: str) -> str | None:
    word = look_up(description)
    return word.status.value if word and word.status else None


def anime(row: Row, id_column: str, japanese_column: str) -> dict[str, Any]:
    """Return the columns that this catalogue shares with the one of 2023, which names two of them otherwise."""
    released, year = row.starts("Aired")
    return {
        "anime_id": row.required(id_column),
        "title": row.raw("Name"),
        "title_english": row.text("English name"),
        "title_japanese": row.text(japanese_column),
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
        "adult": (row.text("Rating") or "").startswith("Rx") or "Hentai" in row.names("Genres"),
    }
