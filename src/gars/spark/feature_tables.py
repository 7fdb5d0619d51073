"""Count-based feature tables of titles and users, one pass each."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  the name everybody knows it by

from gars.domain.history import LIKED_ABOVE


def items(frame: DataFrame) -> DataFrame:
    """Of ``user_id, anime_id, rating``: ``anime_id, viewers, raters, rating_mean, liked_share``."""
    return frame.groupBy("anime_id").agg(F.count("*").alias("viewers"), *_ratings())


def users(frame: DataFrame) -> DataFrame:
    """Of ``user_id, anime_id, rating``: ``user_id, titles, raters, rating_mean, liked_share``."""
    return frame.groupBy("user_id").agg(F.count("*").alias("titles"), *_ratings())


def write(frame: DataFrame, folder: Path) -> None:
    """Write both as Parquet, sorted by id."""
    items(frame).orderBy("anime_id").write.parquet(str((folder / "items.parquet").resolve()))
    users(frame).orderBy("user_id").write.parquet(str((folder / "users.parquet").resolve()))


def _ratings() -> list[Column]:
    liked = F.when(F.col("rating") > LIKED_ABOVE, 1.0).when(F.col("rating").isNotNull(), 0.0)
    return [F.count("rating").alias("raters"), F.avg("rating").alias("rating_mean"), F.avg(liked).alias("liked_share")]
