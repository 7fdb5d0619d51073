"""The anime as people see it, and the catalogue as the models see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray


class Streaming(msgspec.Struct, frozen=True):
    """Where an anime can be watched."""

    site: str
    url: str


class Anime(msgspec.Struct, frozen=True, kw_only=True):
    """One catalogue entry. What is not known is ``None`` or empty, never 0."""

    anime_id: int
    title: str
    title_english: str | None = None
    title_japanese: str | None = None
    title_chinese: str | None = None
    synonyms: tuple[str, ...] = ()
    type: str | None = None
    episodes: int | None = None
    score: float | None = None
    members: int | None = None
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    studios: tuple[str, ...] = ()
    source: str | None = None
    released: date | None = None
    year: int | None = None
    duration_min: int | None = None
    image: str | None = None
    synopsis: str | None = None
    adult: bool = False
    anilist_id: int | None = None
    anidb_id: int | None = None
    tmdb_id: str | None = None
    tvdb_id: int | None = None
    streaming: tuple[Streaming, ...] = ()
    franchise: str = ""
    prequels: tuple[int, ...] = ()
    sequels: tuple[int, ...] = ()
    related: tuple[int, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """Every name it goes by, the main one first."""
        named = (self.title, self.title_english, self.title_japanese, self.title_chinese, *self.synonyms)
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True, eq=False)
class ItemTable:
    """The catalogue as columns, one row an anime, sorted by id: what filters and features read.

    Codes are dense ints; code 0 of ``types`` and ``franchises`` is a real value, -1 is unknown. NaN is unknown.
    """

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
    adult: NDArray[np.bool_]
    franchises: NDArray[np.int32]
    """(n,) dense franchise code; every anime has one, at least its own."""
    needs_prequel: NDArray[np.int64]
    """(n,) anime id of the direct prequel, -1 without one."""
    type_names: tuple[str, ...] = ()
    genre_names: tuple[str, ...] = ()
    counts: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """(n,) training users who have it on their list."""
    rated_counts: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """(n,) training users who rated it."""
    liked_counts: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """(n,) training users who rated it above the like threshold."""
    rating_sums: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """(n,) sum of the training ratings."""

    def __len__(self) -> int:
        return len(self.anime_ids)

    def rows(self, anime_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each id, -1 where the catalogue has none. (m,) → (m,)"""
        if not len(self.anime_ids):
            return np.full(len(anime_ids), -1, np.int64)
        found = np.searchsorted(self.anime_ids, anime_ids)
        found[found == len(self.anime_ids)] = 0
        return np.where(self.anime_ids[found] == anime_ids, found, -1)
