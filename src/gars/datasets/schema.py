"""The normal form: schemas that readers produce and consumers rely on.

Missing is null (or an empty list), never 0 and never a word such as "Unknown".
"""

from __future__ import annotations

import polars as pl

INTERACTIONS: dict[str, pl.DataType] = {
    "user_id": pl.Int64(),
    "anime_id": pl.Int64(),
    "rating": pl.Int8(),
    "status": pl.String(),
    "time": pl.Datetime("ms", "UTC"),
}
"""One row per (user, anime), sorted by user_id, then anime_id."""

CATALOGUE: dict[str, pl.DataType] = {
    "anime_id": pl.Int64(),
    "title": pl.String(),
    "title_english": pl.String(),
    "title_japanese": pl.String(),
    "title_chinese": pl.String(),
    "synonyms": pl.List(pl.String()),
    "type": pl.String(),
    "episodes": pl.Int32(),
    "score": pl.Float64(),
    "members": pl.Int64(),
    "members_at": pl.Date(),
    "genres": pl.List(pl.String()),
    "tags": pl.List(pl.String()),
    "studios": pl.List(pl.String()),
    "source": pl.String(),
    "released": pl.Date(),
    "year": pl.Int32(),
    "season": pl.String(),
    "airing": pl.String(),
    "duration_min": pl.Int32(),
    "image": pl.String(),
    "cover_colour": pl.String(),
    "synopsis": pl.String(),
    "trailer": pl.String(),
    "adult": pl.Boolean(),
    "anilist_id": pl.Int64(),
    "anidb_id": pl.Int64(),
    "tmdb_id": pl.String(),
    "tvdb_id": pl.Int64(),
    "streaming": pl.List(pl.Struct({"site": pl.String(), "url": pl.String()})),
    "franchise": pl.String(),
    "prequels": pl.List(pl.Int64()),
    "sequels": pl.List(pl.Int64()),
    "related": pl.List(pl.Int64()),
    "recommended": pl.List(pl.Int64()),
}
"""One row per anime, sorted by anime_id (the MyAnimeList id).

``members_at`` is the day the members were counted, ``season`` is ``2026-fall``, ``airing`` one of ``AIRING``.
"""

USERS: dict[str, pl.DataType] = {
    "user_id": pl.Int64(),
    "source": pl.String(),
    "truncated": pl.Boolean(),
    "list_date": pl.Date(),
}
"""One row per user of a data set made of several crawls, sorted by ``user_id``. ``truncated``: the list was cut when it
was crawled, so an anime that is missing there is not known to be unseen. ``list_date``: the last day of the crawl."""

STATUSES = ("watching", "completed", "on_hold", "dropped", "planned")
ADDED_LATER = ("members_at", "season", "airing", "trailer", "cover_colour")
"""Columns that data sets of earlier versions do not have."""
TYPES = ("TV", "Movie", "OVA", "Special", "ONA", "Music", "PV", "CM")
AIRING = ("finished", "airing", "upcoming")
NEVER_NULL = ("anime_id", "title", "adult", "franchise")
LISTS = tuple(name for name, kind in CATALOGUE.items() if isinstance(kind, pl.List))


def conform_catalogue(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a frame every catalogue column in order; absent ones are null, absent lists empty.

    ``anime_id`` and ``title`` must be there. ``adult`` defaults to true for the genre Hentai and
    ``franchise`` to the anime itself.
    """
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in CATALOGUE.items() if name not in frame.columns]
    complete = frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in CATALOGUE.items())
    empty = [
        pl.when(pl.col(name).is_null()).then(pl.lit([], dtype=CATALOGUE[name])).otherwise(pl.col(name)).alias(name)
        for name in LISTS
    ]
    return (
        complete.with_columns(empty)
        .with_columns(
            pl.coalesce("adult", pl.col("genres").list.contains("Hentai")),
            pl.coalesce("franchise", pl.format("mal:{}", "anime_id")),
        )
        .sort("anime_id")
    )
