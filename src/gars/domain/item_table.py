"""The catalogue as columns: what filters and features read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gars.domain import labels
from gars.domain.anime import Anime
from gars.domain.franchise import SPECIAL_TYPES, Sequels, find_awaited, find_sequels, is_recap
from gars.domain.history import LIKED_ABOVE
from gars.domain.labels import Labels
from gars.kernels.categories import Categories, categories_of

_DENSE, _SPREAD = 1_000_000, 20
"""Ids up to so many, or up to so many times the number of items, are looked up in a table."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemTable:
    """One row an anime, sorted by id. Codes are dense; -1 is unknown. NaN is unknown."""

    anime_ids: NDArray[np.int64]
    """(n,) ascending."""
    types: NDArray[np.int16]
    """(n,) index into ``type_names``."""
    genres: NDArray[np.float32]
    """(n, g) 1 where the anime has the genre."""
    years: NDArray[np.float32]
    episodes: NDArray[np.float32]
    scores: NDArray[np.float32]
    members: NDArray[np.float32]
    durations: NDArray[np.float32]
    """(n,) minutes of an episode."""
    released: NDArray[np.float64]
    """(n,) first day as a proleptic ordinal; 1 January where only the year is known."""
    recaps: NDArray[np.bool_]
    """(n,) flags of recaps, by their names."""
    adult: NDArray[np.bool_]
    franchises: NDArray[np.int32]
    """(n,) dense franchise code; every anime has one, at least its own."""
    prequel_rows: NDArray[np.int64]
    """(n,) row of the direct prequel, -1 without one."""
    franchise_sizes: NDArray[np.int32]
    """(franchises,) how many anime each franchise has."""
    type_names: tuple[str, ...]
    genre_names: tuple[str, ...]
    tags: Labels
    studios: Labels
    sources: Labels
    sites: Labels
    """Where it can be watched."""
    counts: NDArray[np.float32]
    """(n,) training users who have it on their list."""
    rated_counts: NDArray[np.float32]
    """(n,) training users who rated it."""
    liked_counts: NDArray[np.float32]
    """(n,) training users who rated it above the like threshold."""
    rating_sums: NDArray[np.float32]
    """(n,) sum of the training ratings."""
    audience: NDArray[np.float32]
    """(n,) training users whose list was taken after the anime began: as many could have it at most."""
    genre_shares: NDArray[np.float32]
    """(g,) share of all training list entries that have each genre."""
    sequel_rows: NDArray[np.int32] = field(init=False)
    """Rows of titles with another to be seen before them, ascending."""
    awaited_rows: NDArray[np.int32] = field(init=False)
    """That other of each of them (``find_awaited``)."""
    sequels: Sequels = field(init=False)
    """By row, everything that continues it."""
    recap_rows: NDArray[np.int32] = field(init=False)
    """Rows of recaps, ascending."""
    recap_franchises: NDArray[np.int32] = field(init=False)
    """The franchise of each of them."""
    genre_codes: Categories = field(init=False)
    """The genres of each item as indices into ``genre_names``."""
    _row_of: NDArray[np.int64] = field(init=False)
    """Row of every id from -1 to one above the largest, -1 where there is none; empty where ids are spread too far."""

    def __post_init__(self) -> None:
        special = [code for code, name in enumerate(self.type_names) if name in SPECIAL_TYPES]
        awaited = find_awaited(self.prequel_rows, self.released, self.recaps | np.isin(self.types, special))
        object.__setattr__(self, "sequel_rows", np.flatnonzero(awaited >= 0).astype(np.int32))
        object.__setattr__(self, "awaited_rows", awaited[self.sequel_rows].astype(np.int32))
        object.__setattr__(self, "sequels", find_sequels(self.prequel_rows))
        object.__setattr__(self, "recap_rows", np.flatnonzero(self.recaps).astype(np.int32))
        object.__setattr__(self, "recap_franchises", self.franchises[self.recap_rows])
        object.__setattr__(self, "genre_codes", categories_of(self.genres))
        ids = self.anime_ids
        table = np.empty(0, np.int64)
        if len(ids) and ids[0] >= 0 and ids[-1] < _DENSE + _SPREAD * len(ids):
            table = np.full(int(ids[-1]) + 3, -1, np.int64)
            table[ids + 1] = np.arange(len(ids))
        object.__setattr__(self, "_row_of", table)

    def __len__(self) -> int:
        return len(self.anime_ids)

    @property
    def n_franchises(self) -> int:
        """Number of franchise codes."""
        return len(self.franchise_sizes)

    def rows(self, anime_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each id, -1 where the catalogue has none. (m,) → (m,)"""
        if len(self._row_of):
            return self._row_of.take(anime_ids + 1, mode="clip")
        if not len(self.anime_ids):
            return np.full(len(anime_ids), -1, np.int64)
        found = np.searchsorted(self.anime_ids, anime_ids)
        found[found == len(self.anime_ids)] = 0
        return np.where(self.anime_ids[found] == anime_ids, found, -1)

    def with_statistics(
        self, rows: NDArray[np.int64], ratings: NDArray[np.float32], audience: NDArray[np.float32] | None = None
    ) -> ItemTable:
        """The same catalogue with the statistics of these list entries: rows (m,) and ratings (m,), NaN = not rated.

        Without an ``audience`` (n,) every anime has that of the one with most viewers.
        """
        n = len(self)
        rated = ~np.isnan(ratings)
        counts = np.bincount(rows, minlength=n).astype(np.float32)
        shares = counts @ self.genres / max(1.0, float(counts.sum()))
        return replace(
            self,
            counts=counts,
            rated_counts=np.bincount(rows[rated], minlength=n).astype(np.float32),
            liked_counts=np.bincount(rows[rated & (ratings > LIKED_ABOVE)], minlength=n).astype(np.float32),
            rating_sums=np.bincount(rows[rated], ratings[rated], n).astype(np.float32),
            audience=np.full(n, counts.max(initial=0), np.float32) if audience is None else audience,
            genre_shares=shares.astype(np.float32),
        )

    def without_viewers(self, rows: NDArray[np.int64]) -> ItemTable:
        """Return the same items without the viewers of those at some rows."""
        seen = np.ones(len(self), np.float32)
        seen[rows] = 0
        return replace(
            self,
            counts=self.counts * seen,
            rated_counts=self.rated_counts * seen,
            liked_counts=self.liked_counts * seen,
            rating_sums=self.rating_sums * seen,
        )


def build(anime: Sequence[Anime]) -> ItemTable:
    """The columns of a catalogue sorted by id, without statistics yet (all zero)."""
    n = len(anime)
    ids = np.array([a.anime_id for a in anime], np.int64)
    type_names = tuple(sorted({a.type for a in anime if a.type}))
    genre_names = tuple(sorted({genre for a in anime for genre in a.genres}))
    type_code = {name: code for code, name in enumerate(type_names)}
    genre_code = {name: code for code, name in enumerate(genre_names)}
    genres = np.zeros((n, len(genre_names)), np.float32)
    for row, a in enumerate(anime):
        genres[row, [genre_code[genre] for genre in a.genres]] = 1
    keys = [a.franchise or f"self:{a.anime_id}" for a in anime]
    franchise_code = {key: code for code, key in enumerate(dict.fromkeys(keys))}
    franchises = np.array([franchise_code[key] for key in keys], np.int32)
    row_of = {a.anime_id: row for row, a in enumerate(anime)}
    prequels = [next((row_of[p] for p in a.prequels if p in row_of), -1) for a in anime]
    zeros = np.zeros(n, np.float32)
    return ItemTable(
        anime_ids=ids,
        types=np.array([type_code.get(a.type or "", -1) for a in anime], np.int16),
        genres=genres,
        years=_numbers([a.year or (a.released.year if a.released else None) for a in anime]),
        episodes=_numbers([a.episodes for a in anime]),
        scores=_numbers([a.score for a in anime]),
        members=_numbers([a.members for a in anime]),
        durations=_numbers([a.duration_min for a in anime]),
        released=np.array([_first_day(a) for a in anime], np.float64),
        recaps=np.array([is_recap(a.titles) for a in anime], np.bool_),
        adult=np.array([a.adult for a in anime], np.bool_),
        franchises=franchises,
        prequel_rows=np.array(prequels, np.int64),
        franchise_sizes=np.bincount(franchises, minlength=len(franchise_code)).astype(np.int32),
        type_names=type_names,
        genre_names=genre_names,
        tags=labels.build("tag", [a.tags for a in anime]),
        studios=labels.build("studio", [a.studios for a in anime]),
        sources=labels.build("source", [(a.source,) if a.source else () for a in anime]),
        sites=labels.build("streaming site", [[where.site for where in a.streaming] for a in anime]),
        counts=zeros,
        rated_counts=zeros,
        liked_counts=zeros,
        rating_sums=zeros,
        audience=zeros,
        genre_shares=np.zeros(len(genre_names), np.float32),
    )


def _first_day(a: Anime) -> float:
    if a.released is not None:
        return a.released.toordinal()
    return date(a.year, 1, 1).toordinal() if a.year is not None and 1 <= a.year <= 9999 else np.nan


def _numbers(values: Sequence[float | None]) -> NDArray[np.float32]:
    return np.array([np.nan if value is None else value for value in values], np.float32)
