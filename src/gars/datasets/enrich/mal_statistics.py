"""Members and scores of MyAnimeList on known days: the statistics of 2022 and the best known titles of 2024."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from gars.datasets.catalogue.vocabulary import genres_of
from gars.datasets.schema import CATALOGUE, conform_catalogue
from gars.domain.errors import DataError

STATISTICS_2022_ON = date(2022, 4, 1)
"""The file names no day; its titles and counts are those of April 2022."""
_STATISTICS = ("anime_id", "score", "members", "members_at")
_TOP = ("anime_id", "title", "score", "members", "members_at", "genres", "studios", "released", "year")
_FIRST_GENRE, _LAST_GENRE = "adventure", "educational"
_SPELLED = {"idols_male": "Idols (Male)", "idols_female": "Idols (Female)", "sci_fi": "Sci-Fi"}


def read_statistics(path: Path) -> pl.DataFrame:
    """Read the statistics of April 2022: ``anime_id, score, members, members_at``. Raises ``DataError``."""
    try:
        frame = pl.read_csv(path, columns=["anime_id", "score", "members"])
        numbers = frame.select(
            anime_id=pl.col("anime_id").cast(pl.Int64),
            score=_positive(pl.col("score").cast(pl.Float64, strict=False)),
            members=_positive(pl.col("members").cast(pl.Int64, strict=False)),
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{path}: is not the statistics table: {error}", hint="gars data fetch mal-stats-2022"
        ) from error
    return (
        numbers.drop_nulls("anime_id")
        .with_columns(members_at=pl.when(pl.col("members").is_not_null()).then(pl.lit(STATISTICS_2022_ON)))
        .unique("anime_id", keep="last", maintain_order=True)
        .select(_STATISTICS)
    )


def read_top(path: Path) -> pl.DataFrame:
    """Read the best known titles of April 2024: catalogue columns. Raises ``DataError``.

    The day of the counts is the first day of a title plus the days since.
    """
    try:
        frame = pl.read_parquet(path)
        first, last = frame.columns.index(_FIRST_GENRE), frame.columns.index(_LAST_GENRE)
        flags = frame.columns[first : last + 1]
        counted = frame.select(
            (pl.col("start_date").cast(pl.Int32) + pl.col("days_since_start")).drop_nulls().mode().min()
        ).item()
        kept = frame.select(
            "title",
            pl.col("id").cast(pl.Int64).alias("anime_id"),
            _positive(pl.col("mean")).alias("score"),
            _positive(pl.col("num_list_users").cast(pl.Int64)).alias("members"),
            pl.lit(date(1970, 1, 1) + timedelta(days=counted)).alias("members_at"),
            pl.concat_list(pl.when(pl.col(flag) == 1).then(pl.lit(_spelled(flag))) for flag in flags)
            .list.drop_nulls()
            .alias("genres"),
            pl.concat_list("studio").list.drop_nulls().alias("studios"),
            pl.when(pl.col("start_date").dt.ordinal_day() != 1).then("start_date").alias("released"),
            pl.col("start_date").dt.year().alias("year"),
        )
    except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
        raise DataError(f"{path}: is not the table of titles: {error}", hint="gars data fetch mal-top-2024") from error
    return conform_catalogue(kept.unique("anime_id", keep="last", maintain_order=True)).select(
        pl.col(name).cast(CATALOGUE[name]) for name in _TOP
    )


def _spelled(flag: str) -> str:
    if flag in _SPELLED:
        return _SPELLED[flag]
    (name,) = genres_of([flag.replace("_", " ")])
    return name


def _positive(column: pl.Expr) -> pl.Expr:
    return pl.when(column > 0).then(column)
