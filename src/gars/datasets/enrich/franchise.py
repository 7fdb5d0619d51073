"""One key for everything that belongs together: connected components over typed relations, TVDB and TMDB series."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import polars as pl

K = TypeVar("K", bound=Hashable)

ANTHOLOGY = 4
"""So many anime in one and the same place of a season are an anthology of unrelated works."""


def franchise_keys(
    catalogue: pl.DataFrame,
    ids: pl.DataFrame,
    pairs: pl.DataFrame,
    *,
    lists: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Columns ``anime_id, franchise`` for every row of ``catalogue``.

    ``catalogue`` has ``anime_id`` and ``tmdb_id``, ``ids`` the columns of ``enrich.ids.IDS``, ``pairs`` (of one story)
    those of ``enrich.relations.PAIRS``. The key is the component's commonest TVDB series, else its commonest TMDB
    series, else its lowest MyAnimeList id. A shared TMDB *movie* page is one work, and so a franchise too.

    ``lists`` are pairs of the first of a list with each other one. Lists also hold what merely met in a crossover, so
    they only place an anime that nothing else relates, and only where most of the list is one franchise.
    """
    known = catalogue["anime_id"].to_list()
    series = dict(_series(ids).iter_rows())
    tmdb = dict(catalogue.select("anime_id", "tmdb_id").drop_nulls().iter_rows())
    links = [
        *pairs.iter_rows(),
        *_chained(series, known),
        # TMDB is used for anime without a TVDB series; TVDB takes precedence.
        *((first, anime) for first, anime in _chained(tmdb, known) if first not in series or anime not in series),
    ]
    if lists is not None:
        links += _placed(components(known, links), lists)
    rows = []
    for members in components(known, links):
        tvdb_ids = Counter(series[anime] for anime in members if anime in series)
        tmdb_ids = Counter(tmdb[anime] for anime in members if anime in tmdb)
        if tvdb_ids:
            key = f"tvdb:{_commonest(tvdb_ids)}"
        elif tmdb_ids:
            key = f"tmdb:{_commonest(tmdb_ids)}"
        else:
            key = f"mal:{min(members)}"
        rows += [(anime, key) for anime in members]
    return pl.DataFrame(rows, schema={"anime_id": pl.Int64(), "franchise": pl.String()}, orient="row").sort("anime_id")


def _placed(found: Sequence[Sequence[int]], lists: pl.DataFrame) -> list[tuple[int, int]]:
    """Link anime without relations to the franchise that most of their list belongs to."""
    first_of = {anime: members[0] for members in found for anime in members}
    alone = {members[0] for members in found if len(members) == 1}
    listed: dict[int, set[int]] = defaultdict(set)
    for first, other in lists.iter_rows():
        listed[first] |= {anime for anime in (first, other) if anime in first_of}
    links = []
    for members in listed.values():
        shares = Counter(first_of[anime] for anime in members if anime not in alone)
        if not shares:
            links += [(min(members), anime) for anime in members]
        elif 2 * shares[home := _commonest(shares)] > shares.total():
            links += [(home, anime) for anime in members if anime in alone]
    return links


def components(nodes: Sequence[int], links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Connected components by union-find; links to unknown nodes are ignored. Sorted by their lowest node."""
    parent = {node: node for node in nodes}

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in links:
        if left in parent and right in parent:
            low, high = sorted((root(left), root(right)))
            parent[high] = low
    found: dict[int, list[int]] = defaultdict(list)
    for node in sorted(nodes):
        found[root(node)].append(node)
    return [found[low] for low in sorted(found)]


def _series(ids: pl.DataFrame) -> pl.DataFrame:
    """``anime_id, tvdb_id`` of anime with a known season, anthologies left out."""
    placed = ids.drop_nulls(["tvdb_id", "tvdb_season"])
    crowd = pl.len().over("tvdb_id", "tvdb_season", "tvdb_offset")
    anthology = ((pl.col("tvdb_season") > 0) & (crowd >= ANTHOLOGY)).any().over("tvdb_id")
    return placed.filter(~anthology).select("anime_id", "tvdb_id")


def _chained(key_of: Mapping[int, K], known: Iterable[int]) -> list[tuple[int, int]]:
    """Link every known anime to the first one with the same key."""
    first: dict[K, int] = {}
    return [(first.setdefault(key_of[anime], anime), anime) for anime in known if anime in key_of]


def _commonest(counts: Counter[K]) -> K:
    return min(counts, key=lambda key: (-counts[key], key))
