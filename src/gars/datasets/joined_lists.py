"""The lists of several crawls in one table: users apart by number ranges, the crawl of each user kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue.by_title import TitleIndex
from gars.datasets.readers.mal_lists_2023 import read_lists
from gars.datasets.readers.mal_scores_2021 import read_scores
from gars.datasets.schema import USERS
from gars.datasets.sources import LISTS_2023, RATINGS_SAMPLE, SCORES_2021, Source

FIRST_USER: dict[Source, int] = {RATINGS_SAMPLE: 0, SCORES_2021: 1_000_000, LISTS_2023: 2_000_000}
"""User ids of a source are its own numbers plus this."""
LIST_DATE: dict[Source, date] = {
    RATINGS_SAMPLE: date(2016, 12, 31),
    SCORES_2021: date(2021, 7, 31),
    LISTS_2023: date(2023, 2, 28),
}
"""The last day of each crawl: an anime that began later could not be on its lists."""
_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class JoinedLists:
    """Interactions of all crawls, sorted by user, then anime."""

    interactions: pl.DataFrame
    users: pl.DataFrame
    """Columns of ``USERS``, sorted."""
    duplicates: int
    report: dict[str, Any]


def join_lists(sample: pl.DataFrame, paths: Mapping[Source, Path], catalogue: pl.DataFrame) -> JoinedLists:
    """Join the shipped sample with those of the other crawls that are in ``paths``.

    Rows whose anime ``catalogue`` does not have are left out and counted by source. Raises ``DataError``.
    """
    tables = {RATINGS_SAMPLE: sample}
    truncated: list[int] = []
    duplicates = 0
    report: dict[str, Any] = {}
    if SCORES_2021 in paths:
        scores = read_scores(paths[SCORES_2021], TitleIndex(catalogue).find)
        tables[SCORES_2021] = scores.interactions
        truncated = [FIRST_USER[SCORES_2021] + user for user in scores.truncated]
        duplicates += scores.repeated
        report["unmatched_titles"] = {
            "rows": sum(scores.unmatched.values()),
            "titles": len(scores.unmatched),
            "most": dict(list(scores.unmatched.items())[:_SHOWN]),
        }
    if LISTS_2023 in paths:
        lists = read_lists(paths[LISTS_2023])
        tables[LISTS_2023] = lists.unique(["user_id", "anime_id"], keep="last", maintain_order=True)
        duplicates += lists.height - tables[LISTS_2023].height
    known = catalogue.select("anime_id")
    placed = {
        source: rows.join(known, on="anime_id", how="semi").with_columns(pl.col("user_id") + FIRST_USER[source])
        for source, rows in tables.items()
    }
    report["left_out_without_catalogue_entry"] = {
        source.name: tables[source].height - rows.height
        for source, rows in placed.items()
        if tables[source].height > rows.height
    }
    users = pl.concat(
        rows.select(
            pl.col("user_id").unique(),
            pl.lit(source.name).alias("source"),
            pl.lit(LIST_DATE[source]).alias("list_date"),
        )
        for source, rows in placed.items()
    ).with_columns(truncated=pl.col("user_id").is_in(truncated))
    report["crawls"] = {source.name: _counts(rows, users) for source, rows in placed.items()}
    return JoinedLists(
        pl.concat(placed.values()).sort("user_id", "anime_id"),
        users.select(*USERS).sort("user_id"),
        duplicates,
        report,
    )


def _counts(rows: pl.DataFrame, users: pl.DataFrame) -> dict[str, int]:
    own = users.join(rows.select("user_id").unique(), on="user_id", how="semi")
    return {
        "first_user": int(own["user_id"].min()),  # type: ignore[arg-type]
        "last_user": int(own["user_id"].max()),  # type: ignore[arg-type]
        "users": own.height,
        "truncated_users": int(own["truncated"].sum()),
        "rows": rows.height,
        "rated": rows.height - rows["rating"].null_count(),
        "planned": int((rows["status"] == "planned").sum()),
    }
