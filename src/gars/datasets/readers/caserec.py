"""The caserec sample of the 2016 data: 5,000 users, ids renumbered from 1, tab separated inside a zip."""

from __future__ import annotations

import html
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gars.domain.errors import DataError

MEMBERS = ("anime_ratings.dat", "anime_history.dat", "anime_info.dat")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The sample with MyAnimeList ids."""

    interactions: pl.DataFrame
    """The normal form with the sample's own user ids; its rated rows are those of ``anime_ratings.dat``, in order."""
    ids: pl.DataFrame
    """``sample_id``, ``anime_id``: the sample's own number of each title, ascending."""


def read_sample(path: Path, catalogue: pl.DataFrame) -> Sample:
    """Read the zip.

    ``catalogue`` is the original 2016 one; sample titles are joined to it by name. Rows of the history
    without a rating have a null rating. Raises ``DataError`` when a title does not join one to one.
    """
    ids = sample_ids(path, catalogue)
    pair = ["user_id", "sample_id"]
    rated = _table(path, "anime_ratings.dat").rename(
        {"User_ID": "user_id", "Anime_ID": "sample_id", "Feedback": "rating"}
    )
    seen = _table(path, "anime_history.dat").select(
        pl.col("User_ID").alias("user_id"), pl.col("Anime_ID").alias("sample_id")
    )
    # Every rated row is in the history too; a union keeps that from being an assumption.
    rows = (
        pl.concat([seen, rated.select(pair)])
        .unique()
        .join(rated, on=pair, how="left")
        .join(ids, on="sample_id", how="left")
    )
    if unknown := rows["anime_id"].null_count():
        raise DataError(
            f"{path}: {unknown:,} row(s) name an anime that anime_info.dat does not list",
            hint="fetch the sample again: gars data fetch mal-2016-sample",
        )
    interactions = rows.select(
        "user_id",
        "anime_id",
        pl.col("rating").cast(pl.Int8),
        pl.lit(None, dtype=pl.String).alias("status"),
        pl.lit(None, dtype=pl.Datetime("ms", "UTC")).alias("time"),
    ).sort("user_id", "anime_id")
    return Sample(interactions, ids)


def sample_ids(path: Path, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Map the sample's renumbered ids to MyAnimeList ids: columns ``sample_id``, ``anime_id``, one row per title."""
    titles = _table(path, "anime_info.dat").select(
        pl.col("anime_ids").alias("sample_id"),
        pl.col("name").map_elements(_name, return_dtype=pl.String).alias("title"),
    )
    joined = titles.join(catalogue.select("title", "anime_id"), on="title", how="left")
    astray = joined.filter(pl.col("anime_id").is_null() | pl.col("sample_id").is_duplicated())
    if astray.height:
        shown = ", ".join(repr(title) for title in astray["title"].unique(maintain_order=True)[:5])
        raise DataError(
            f"{path}: {astray.height:,} title(s) of the sample do not join the 2016 catalogue one to one: {shown}",
            hint="fetch both again: gars data fetch mal-2016-sample mal-2016-catalogue",
        )
    return joined.select("sample_id", "anime_id").sort("sample_id")


def _name(title: str) -> str:
    return html.unescape(title).strip()


def _table(path: Path, member: str) -> pl.DataFrame:
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [name for name in archive.namelist() if name.rsplit("/", 1)[-1] == member]
            return pl.read_csv(io.BytesIO(archive.read(name)), separator="\t", quote_char=None)
    except (zipfile.BadZipFile, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: {member} cannot be read from the zip: {error}", hint="gars data fetch mal-2016-sample"
        ) from error
