"""Atomic files of the RecBole library: tab-separated, with a kind after each column name (``user_id:token``)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gars.domain.errors import DataError

STARS_TO_TEN = 2
"""MovieLens has 1 to 5 stars; four stars or more come out above 7."""


def read_interactions(path: Path) -> pl.DataFrame:
    """Read an ``.inter`` file as ``user_id, anime_id, rating (1–10), time_s``. Raises ``DataError``."""
    table = _read(path, ("user_id:token", "item_id:token", "rating:float", "timestamp:float"))
    return table.select(
        pl.col("user_id:token").cast(pl.Int64).alias("user_id"),
        pl.col("item_id:token").cast(pl.Int64).alias("anime_id"),
        (pl.col("rating:float").cast(pl.Float64) * STARS_TO_TEN).cast(pl.Int8).alias("rating"),
        pl.col("timestamp:float").cast(pl.Int64).alias("time_s"),
    )


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read the ``.item`` file as ``anime_id, title, genres, year``. Raises ``DataError``."""
    table = _read(path, ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"))
    words = pl.col("class:token_seq").fill_null("").str.split(" ")
    return table.select(
        pl.col("item_id:token").cast(pl.Int64).alias("anime_id"),
        pl.col("movie_title:token_seq").alias("title"),
        words.list.eval(pl.element().filter(pl.element() != "")).alias("genres"),
        pl.col("release_year:token").cast(pl.Int32, strict=False).alias("year"),
    )


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        table = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
        return table.select(columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{path}: is not a RecBole file with the columns {', '.join(columns)}: {error}",
            hint="fetch it again: gars data fetch movielens-100k movielens-100k-items",
        ) from error
