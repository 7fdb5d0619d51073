"""Prequels, sequels, related anime and franchises from every source of relations."""

from __future__ import annotations

import polars as pl

from gars.datasets.enrich.franchise import franchise_keys
from gars.datasets.enrich.ids import IDS
from gars.datasets.enrich.mapper import RELATIONS
from gars.datasets.enrich.relations import PAIRS, relation_columns, season_pairs

_PARTS = ("SIDE_STORY", "SUMMARY", "SPIN_OFF")
"""Relation types of the other anime for which ``anime_id`` is the parent."""
_RELATED = ("PARENT", *_PARTS, "ALTERNATIVE", "OTHER", "ADAPTATION")
"""Relation types stored in ``related``; a shared character or song is not one."""


def relate(
    catalogue: pl.DataFrame,
    *,
    typed: pl.DataFrame | None = None,
    rules: pl.DataFrame | None = None,
    ids: pl.DataFrame | None = None,
    lists: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Fill ``prequels``, ``sequels``, ``related`` and ``franchise``: relations within the catalogue, none to itself.

    ``catalogue`` may have such columns already: they are kept and completed. ``typed`` has the columns of
    ``mapper.RELATIONS``, ``rules`` (sequels) and ``lists`` (members of one franchise) those of ``PAIRS``, ``ids`` those
    of ``enrich.ids.IDS``. The order of TVDB seasons is used only for an anime without a prequel in any other source.
    """
    typed = pl.DataFrame(schema=RELATIONS) if typed is None else typed
    ids = pl.DataFrame(schema=IDS) if ids is None else ids
    none = pl.DataFrame(schema=PAIRS)
    known_pairs = [
        _pairs(typed, "SEQUEL", "anime_id", "other_id"),
        _pairs(typed, "PREQUEL", "other_id", "anime_id"),
        _listed(catalogue, "sequels", "anime_id", "sequel_id"),
        _listed(catalogue, "prequels", "sequel_id", "anime_id"),
        none if rules is None else rules,
    ]
    follows = pl.concat([pair.select(*PAIRS) for pair in known_pairs])
    seasons = season_pairs(ids)
    silent = seasons.join(follows.select("sequel_id").unique(), on="sequel_id", how="anti")
    follows = pl.concat([follows, silent]).filter(pl.col("anime_id") != pl.col("sequel_id")).unique(maintain_order=True)

    columns = relation_columns(catalogue["anime_id"], follows)
    frame = catalogue.drop("prequels", "sequels", "franchise").join(columns, on="anime_id", how="left")
    keys = franchise_keys(
        frame,
        ids,
        pl.concat([follows, _homes(frame["anime_id"], typed), _pairs(typed, "ALTERNATIVE", "anime_id", "other_id")]),
        lists=lists,
    )
    related = _related(frame, typed)
    return frame.join(keys, on="anime_id", how="left").drop("related").join(related, on="anime_id", how="left")


def _pairs(typed: pl.DataFrame, relation: str, before: str, after: str) -> pl.DataFrame:
    one = typed.filter(pl.col("relation") == relation)
    return one.select(pl.col(before).alias("anime_id"), pl.col(after).alias("sequel_id"))


def _listed(catalogue: pl.DataFrame, column: str, mine: str, theirs: str) -> pl.DataFrame:
    """Return the prequels or sequels of the catalogue itself as pairs."""
    named = catalogue.select(pl.col("anime_id").alias(mine), pl.col(column).alias(theirs))
    return named.explode(theirs).drop_nulls()


def _homes(known: pl.Series, typed: pl.DataFrame) -> pl.DataFrame:
    """Pair each side story, summary and spin-off with its parent."""
    parents = typed.filter(pl.col("relation") == "PARENT").select("anime_id", parent="other_id")
    parts = typed.filter(pl.col("relation").is_in(_PARTS)).select(anime_id="other_id", parent="anime_id")
    both = pl.concat([parents, parts]).filter(pl.col("parent").is_in(known.implode()))
    return both.group_by("anime_id").agg(sequel_id=pl.col("parent").min()).sort("anime_id")


def _related(catalogue: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """Return ``anime_id, related``: ascending ids of the catalogue, without the anime itself."""
    links = typed.filter(pl.col("relation").is_in(_RELATED)).select("anime_id", related="other_id")
    both = pl.concat(
        [
            catalogue.select("anime_id", "related").explode("related").drop_nulls(),
            links,
            links.select(anime_id="related", related="anime_id"),
        ]
    )
    known = catalogue["anime_id"].implode()
    within = both.filter(
        pl.col("related").is_in(known), pl.col("anime_id").is_in(known), pl.col("related") != pl.col("anime_id")
    )
    return within.group_by("anime_id").agg(pl.col("related").unique().sort())
