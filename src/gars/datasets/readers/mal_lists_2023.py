"""Whole MyAnimeList lists of February 2023: a CSV file a user, whose name is a number."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from gars.datasets.folders import read_folder
from gars.datasets.schema import INTERACTIONS
from gars.datasets.sources import LISTS_2023
from gars.datasets.statuses import STATUS_CODES
from gars.domain.errors import DataError

_HEADER = ["anime_id", "score", "watching_status", "watched_episodes"]


def read_lists(archive: Path) -> pl.DataFrame:
    """Return the rows of all lists: columns of ``INTERACTIONS``, ``user_id`` is the number in the file's name.

    A score of 0 is null. Files without a list are passed over. Raises ``DataError`` for a file of another form.
    """
    lists = [
        _rows(int(file.path.removesuffix(".csv")), file.content, archive)
        for file in read_folder(LISTS_2023, archive)
        if file.path.endswith(".csv") and file.path.removesuffix(".csv").isdecimal()
    ]
    return pl.concat(lists).sort("user_id", "anime_id", maintain_order=True)


def _rows(user: int, content: bytes, archive: Path) -> pl.DataFrame:
    try:
        table = pl.read_csv(io.BytesIO(content), schema_overrides=dict.fromkeys(_HEADER, pl.Int64))
    except pl.exceptions.PolarsError as error:
        raise _wrong(archive, user, str(error)) from error
    if table.columns != _HEADER:
        raise _wrong(archive, user, f"its columns are {', '.join(table.columns)}")
    good = table["anime_id"].is_not_null() & table["score"].is_between(0, 10)
    if not good.fill_null(value=False).all():
        raise _wrong(archive, user, "an anime or score is missing or out of range")
    return table.select(
        pl.lit(user, pl.Int64).alias("user_id"),
        "anime_id",
        pl.when(pl.col("score") > 0).then("score").cast(INTERACTIONS["rating"]).alias("rating"),
        pl.col("watching_status")
        .cast(pl.String)
        .replace_strict(STATUS_CODES, default=None, return_dtype=pl.String)
        .alias("status"),
        pl.lit(None, INTERACTIONS["time"]).alias("time"),
    )


def _wrong(archive: Path, user: int, why: str) -> DataError:
    return DataError(f"{archive}: list {user} cannot be read: {why}", hint=f"gars data fetch {LISTS_2023.name}")
