"""Sequel pairs of anime, from the relation rules and from the order of TVDB seasons."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import polars as pl

from gars.domain.errors import DataError

PAIRS: dict[str, pl.DataType] = {"anime_id": pl.Int64(), "sequel_id": pl.Int64()}
_RULE = re.compile(r"- (\d+|\?)\|\S+?:(\d+)\S* -> (\d+|\?|~)\|")


def read_relations(path: Path) -> pl.DataFrame:
    """Read the rules into direct sequel pairs: columns of ``PAIRS``. Raises ``DataError``.

    A rule states "episode 14 of A is episode 1 of B". When A's episodes continue in B and then in C, B follows A and
    C follows B. Rules within one anime, and those for an episode 0 (a prologue), are not sequels.
    """
    parts: dict[int, dict[int, int]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _RULE.match(line)
        if match is None:
            continue
        start, first, target = match.groups()
        if start.isdigit() and target.isdigit() and start != target and int(first) > 0:
            parts[int(start)][int(first)] = int(target)
    if not parts:
        raise DataError(f"{path}: holds no relation rules", hint="gars data fetch anime-relations")
    pairs = {
        (before, after)
        for start, targets in parts.items()
        for before, after in pairwise([start, *(targets[first] for first in sorted(targets))])
        if before != after
    }
    return pl.DataFrame(sorted(pairs), schema=PAIRS, orient="row")


def season_pairs(ids: pl.DataFrame) -> pl.DataFrame:
    """Order the seasons of each TVDB series into direct sequel pairs: columns of ``PAIRS``.

    ``ids`` has the columns of ``enrich.ids.IDS``. Specials (season 0) take no part; a series without seasons (-1) comes
    first. Two anime in the same place have no order, so nothing follows from them.
    """
    placed = ids.filter(pl.col("tvdb_season").is_not_null() & (pl.col("tvdb_season") != 0))
    alone = placed.filter(pl.len().over("tvdb_id", "tvdb_season", "tvdb_offset") == 1)
    ordered = alone.sort("tvdb_id", "tvdb_season", "tvdb_offset")
    follows = ordered.with_columns(sequel_id=pl.col("anime_id").shift(-1).over("tvdb_id"))
    return follows.drop_nulls("sequel_id").select(*PAIRS).sort("anime_id")


def relation_columns(catalogue_ids: pl.Series, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return ``anime_id, prequels, sequels``, ascending, for the given ids; only ``pairs`` within the catalogue.

    An anime may have several of each: rules often name a special as the sequel, the order of seasons the next season.
    """
    known = catalogue_ids.implode()
    within = pairs.filter(pl.col("anime_id").is_in(known) & pl.col("sequel_id").is_in(known)).unique()
    forward = within.group_by("anime_id").agg(sequels=pl.col("sequel_id").sort())
    backward = within.group_by("sequel_id").agg(prequels=pl.col("anime_id").sort()).rename({"sequel_id": "anime_id"})
    rows = pl.DataFrame({"anime_id": catalogue_ids})
    return rows.join(forward, on="anime_id", how="left").join(backward, on="anime_id", how="left")
