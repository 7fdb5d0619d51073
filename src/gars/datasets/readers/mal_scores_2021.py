"""MyAnimeList lists of July 2021: users are numbers, anime are named by their main title."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gars.datasets.schema import INTERACTIONS
from gars.datasets.sources import SCORES_2021
from gars.domain.errors import DataError

_CUT_FROM = 295
"""The crawler stopped at 300 rows and lost a few of them, so a list of this many titles may be cut."""
_LAST_LETTER = "Z"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The lists, and what was counted while they were read."""

    interactions: pl.DataFrame
    """Columns of ``INTERACTIONS``, one row per (user, anime); what is unknown, as every status, is null."""
    truncated: list[int]
    """Users whose lists are cut: an anime that is missing there was not necessarily unseen."""
    repeated: int
    """Rows left out because the same user has the same anime before."""
    unmatched: dict[str, int]
    """Titles that no anime, or more than one, is called → rows, most first."""


def read_scores(path: Path, find: Callable[[str], int | None]) -> Scores:
    """Read the lists; ``find`` returns the anime id of a main title, or None when it is unknown or ambiguous.

    Of several rows of a (user, anime) the last stays. A list is taken as cut when it has ``_CUT_FROM`` titles or more
    and does not reach the last letter of the alphabet, the order in which lists were read. Raises ``DataError``.
    """
    try:
        table = pl.read_csv(path, schema={"user_id": pl.Int64, "title": pl.String, "score": pl.Int64})
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: cannot be read: {error}", hint=f"gars data fetch {SCORES_2021.name}") from error
    ids = {title: find(title) for title in table["title"].unique().to_list()}
    rows = table.with_columns(anime_id=pl.col("title").replace_strict(ids, return_dtype=pl.Int64))
    lost = rows.filter(pl.col("anime_id").is_null())["title"].value_counts(sort=True)
    found = rows.drop_nulls("anime_id")
    kept = found.unique(["user_id", "anime_id"], keep="last", maintain_order=True)
    interactions = kept.select(
        "user_id",
        "anime_id",
        pl.when(pl.col("score") > 0).then("score").cast(INTERACTIONS["rating"]).alias("rating"),
        pl.lit(None, INTERACTIONS["status"]).alias("status"),
        pl.lit(None, INTERACTIONS["time"]).alias("time"),
    )
    return Scores(
        interactions.sort("user_id", "anime_id"),
        truncated=_truncated(table),
        repeated=found.height - kept.height,
        unmatched=dict(sorted(lost.iter_rows(), key=lambda one: (-one[1], one[0]))),
    )


def _truncated(table: pl.DataFrame) -> list[int]:
    titles = table.unique(["user_id", "title"], keep="first", maintain_order=True)
    ends = titles.group_by("user_id").agg(pl.len().alias("titles"), pl.col("title").last())
    cut = (pl.col("titles") >= _CUT_FROM) & ~pl.col("title").str.to_uppercase().str.starts_with(_LAST_LETTER)
    return sorted(ends.filter(cut)["user_id"].to_list())
