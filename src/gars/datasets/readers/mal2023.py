"""Kaggle dbdmobile "MyAnimeList Dataset 2023": 'UNKNOWN' for unknown, pictures by address, user names never read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, read_catalogue_file
from gars.datasets.readers import mal2020


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read ``anime-dataset-2023.csv``; returns the catalogue's schema. Raises ``DataError``."""
    return read_catalogue_file(path, _anime)


def _anime(row: Row) -> dict[str, Any]:
    return {
        **mal2020.anime(row, "anime_id", "Other name"),
        "image": row.text("Image URL"),
        "synopsis": row.synopsis("Synopsis"),
    }
