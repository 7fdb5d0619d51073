"""Merge two catalogues: fresh values replace old ones, old ones fill gaps, and the origin of each field is kept."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from gars.datasets.schema import CATALOGUE, LISTS, conform_catalogue

ORIGINAL = "original"
MOVING = frozenset({"score", "members"})
"""Fields that change daily: a difference is not a conflict."""
JOINED = frozenset({"synonyms", "tags"})
"""List fields that are united from both sides."""
_OURS = frozenset({"franchise", "adult"})
"""Derived fields without null, merged by rules of their own."""

CONFLICTS = {
    "anime_id": pl.Int64(),
    "title": pl.String(),
    "field": pl.String(),
    "original": pl.String(),
    "fresh": pl.String(),
    "kept": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged catalogue with its provenance and conflicts."""

    catalogue: pl.DataFrame
    """Columns of ``schema.CATALOGUE``."""
    provenance: pl.DataFrame
    """``anime_id`` and a column for each field with the name of its source, null where no source has a value."""
    conflicts: pl.DataFrame
    """Columns of ``CONFLICTS``: both sides know a field and disagree."""
    only_original: int
    only_fresh: int
    """Anime missing in the original; they are in the catalogue only with ``keep_new``."""


def merge_catalogues(
    original: pl.DataFrame, fresh: pl.DataFrame, origins: pl.DataFrame, *, keep_new: bool = False
) -> Merged:
    """Join ``fresh`` to ``original`` by anime id.

    Both have the columns of ``schema.CATALOGUE``; ``origins`` has ``anime_id, origin``, the source of each fresh row.
    Fresh values take precedence. Synonyms and tags are united, and a replaced title becomes a synonym.
    An anime is adult if either side marks it so. With ``keep_new``, anime of the fresh side alone are added.
    """
    named = fresh.join(origins, on="anime_id", how="left")
    joined = original.join(named, on="anime_id", how="full" if keep_new else "left", suffix="_fresh", coalesce=True)
    joined = joined.sort("anime_id")
    fields = [name for name in CATALOGUE if name != "anime_id"]
    merged = joined.select("anime_id", *(_value(name) for name in fields))
    provenance = joined.select("anime_id", *(_origin(name) for name in fields))
    return Merged(
        catalogue=conform_catalogue(_with_old_titles(merged, joined)),
        provenance=provenance,
        conflicts=_conflicts(joined),
        only_original=original.join(fresh, on="anime_id", how="anti").height,
        only_fresh=fresh.join(original, on="anime_id", how="anti").height,
    )


def _known(name: str) -> pl.Expr:
    """Return an expression that is true where a column has a value."""
    column = pl.col(name)
    bare = name.removesuffix("_fresh")
    if bare in LISTS:
        return (column.list.len() > 0).fill_null(False)
    if bare == "franchise":  # the default key of an anime without a known franchise
        return (column != pl.format("mal:{}", "anime_id")).fill_null(False)
    return column.is_not_null()


def _value(name: str) -> pl.Expr:
    mine, fresh = pl.col(name), pl.col(f"{name}_fresh")
    if name == "adult":
        return (mine.fill_null(False) | fresh.fill_null(False)).alias(name)
    if name in JOINED:
        empty = pl.lit([], dtype=CATALOGUE[name])
        both = fresh.fill_null(empty).list.concat(mine.fill_null(empty))
        return both.list.unique(maintain_order=True).alias(name)
    return pl.when(_known(f"{name}_fresh")).then(fresh).otherwise(mine).alias(name)


def _origin(name: str) -> pl.Expr:
    mine, fresh = _known(name), _known(f"{name}_fresh")
    if name == "adult":
        mine, fresh = pl.col(name), pl.col(f"{name}_fresh")
    both = pl.format(f"{ORIGINAL}+{{}}", "origin") if name in JOINED or name == "adult" else pl.col("origin")
    return (
        pl.when(mine & fresh)
        .then(both)
        .when(fresh)
        .then("origin")
        .when(mine)
        .then(pl.lit(ORIGINAL))
        .otherwise(pl.lit(None, pl.String()))
        .alias(name)
    )


def _with_old_titles(merged: pl.DataFrame, joined: pl.DataFrame) -> pl.DataFrame:
    """Add replaced titles to the synonyms, so that search still finds them."""
    old = joined["title"]
    replaced = pl.col("old").is_not_null() & (pl.col("old") != pl.col("title"))
    named = pl.when(replaced & ~pl.col("synonyms").list.contains(pl.col("old"))).then(pl.concat_list("synonyms", "old"))
    return merged.with_columns(old=old).with_columns(synonyms=named.otherwise("synonyms")).drop("old")


def _conflicts(joined: pl.DataFrame) -> pl.DataFrame:
    found = []
    for name in CATALOGUE:
        if name in MOVING | JOINED | _OURS | {"anime_id"}:
            continue
        both = joined.filter(_known(name), _known(f"{name}_fresh"))
        comparable = _COMPARABLE.get(name, _plain)
        mine, fresh = (both[column].map_elements(comparable, pl.String()) for column in (name, f"{name}_fresh"))
        different = both.filter(mine != fresh) if both.height else both
        found.append(
            different.select(
                "anime_id",
                pl.coalesce("title_fresh", "title").alias("title"),
                pl.lit(name).alias("field"),
                pl.col(name).map_elements(_shown, pl.String()).alias("original"),
                pl.col(f"{name}_fresh").map_elements(_shown, pl.String()).alias("fresh"),
                pl.col("origin").alias("kept"),
            )
        )
    return pl.concat([pl.DataFrame(schema=CONFLICTS), *found]).sort("anime_id", "field")


def _plain(value: object) -> str:
    """Normalise a value for comparison: case, blanks, entities and the order of a list are ignored."""
    if isinstance(value, pl.Series):
        return "\n".join(sorted(map(_plain, value)))
    return " ".join(html.unescape(str(value)).split()).casefold()


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, pl.Series) else str(value)


def _first_words(value: object) -> str:
    """Return the beginning of a synopsis: the credits at its end change."""
    return _plain(value)[:80]


_COMPARABLE: dict[str, Callable[[object], str]] = {"synopsis": _first_words}
