"""A trained model extended by anime that joined the catalogue since, so that they are shown before retraining."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.rerank import collapse
from gars.domain.anime import Anime
from gars.domain.candidates import Candidates, Filters, allowed
from gars.domain.errors import UnknownAnimeError
from gars.domain.history import History, from_ratings
from gars.domain.item_table import ItemTable, build
from gars.domain.top_k import top_k
from gars.library import cold_anime
from gars.library.cold_anime import ColdAnime
from gars.library.engine import Engine


@dataclass(frozen=True, slots=True, eq=False)
class ColdStartEngine:
    """Implements ``Engine`` and ``NewAnime`` of ``application.recommend.engine``, and ``TwoStages``.

    Lists are the model's own. A new anime can be searched, shown, compared with others, and is on the shelves of its
    season and of new anime and after all popular ones; the ranking model never scores it.
    """

    engine: Engine
    anime: Sequence[Anime]
    """Both, ascending by id."""
    version: str
    """That of the model, and after a ``+`` a hash of what joined it."""
    cold: ColdAnime
    """All anime without training viewers: of the model's catalogue, and added ones."""
    items: ItemTable
    """Of ``anime``."""
    added: NDArray[np.int64]
    """Ids of what joined it, ascending."""
    _places: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {one.anime_id: place for place, one in enumerate(self.cold.anime)})

    def new_ids(self, history: History, *, k: int, filters: Filters) -> list[tuple[int, float]]:
        """Return anime without training viewers by their score for the user, best first."""
        ids = self.cold.ids
        rows = self.items.rows(ids)
        scores = self.cold.scores(self.engine, history)
        scores = np.where(allowed(self.items, history, filters)[rows], scores, -np.inf).astype(np.float32)
        places = top_k(scores, ids, len(ids) if filters.one_per_franchise else k)
        if filters.one_per_franchise:
            places = places[collapse(rows[places], self.items.franchises)]
        return [(int(ids[place]), float(scores[place])) for place in places[:k]]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Those of the model."""
        return self.engine.feature_names

    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Those of the model; NaN for an added one, which it lacks. (m,) → (m,)"""
        return self.engine.like_chances(history, anime_ids)

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """The model's list."""
        return self.engine.recommend_history(history, request)

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Candidates:
        """The model's stage one."""
        return self.engine.retrieve(history, want=want, filters=filters)

    def rank_found(self, history: History, found: Candidates, request: ListRequest) -> list[Recommendation]:
        """The model's stage two."""
        return self.engine.rank_found(history, found, request)

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """The model's stage one."""
        return self.engine.retrieve_ids(history, k=k, filters=filters)

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Return the popular titles, then the added ones. → (≤ k,)"""
        known = self.engine.popular_ids(k=k, filters=filters)
        rows = self.items.rows(self.added)
        rows = rows[allowed(self.items, from_ratings([]), filters)[rows]]
        if filters.one_per_franchise:
            rows = rows[~np.isin(self.items.franchises[rows], self.items.franchises[self.items.rows(known)])]
            rows = rows[collapse(rows, self.items.franchises)]
        return np.concatenate([known, self.items.anime_ids[rows]])[:k]

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Return similar anime by the model; for an added one, by its description. Raises ``UnknownAnimeError``."""
        if anime_id not in self.added:
            return self.engine.similar_ids(anime_id, k=k, same_franchise=same_franchise)
        place = self._places.get(anime_id)
        if place is None:
            raise UnknownAnimeError([anime_id])
        near = self.cold.likeness[[place]].tocoo()
        ids = self.engine.retriever.items.anime_ids[near.col]
        row, rows = int(self.items.rows(np.array([anime_id]))[0]), self.items.rows(ids)
        fits = np.full(len(ids), True)
        if not same_franchise:
            fits &= self.items.franchises[rows] != self.items.franchises[row]
        if not self.items.adult[row]:
            fits &= ~self.items.adult[rows]
        scores = np.where(fits, near.data, -np.inf).astype(np.float32)
        return [(int(ids[best]), float(min(1.0, scores[best]))) for best in top_k(scores, ids, k)]

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """The model's users."""
        return self.engine.similar_user_ids(history, k=k, exclude=exclude)


def with_cold_start(engine: Engine, anime: Sequence[Anime] = (), *, cold: ColdAnime | None = None) -> ColdStartEngine:
    """Extend the model by those of ``anime`` that it lacks.

    ``cold`` are the model's own anime without viewers, as its artefact has them; where ``anime`` adds others, all are
    compared anew.
    """
    known = {one.anime_id for one in engine.anime}
    added = sorted((one for one in anime if one.anime_id not in known), key=lambda one: one.anime_id)
    both = sorted([*engine.anime, *added], key=lambda one: one.anime_id) if added else engine.anime
    return ColdStartEngine(
        engine=engine,
        anime=both,
        version=version_with(engine.version, added),
        cold=cold if cold is not None and not added else cold_anime.find(engine, added),
        items=build(both) if added else engine.items,
        added=np.array([one.anime_id for one in added], np.int64),
    )


def version_with(version: str, added: Sequence[Anime]) -> str:
    """Return the version of a model with ``added`` anime (ascending ids): its own, and a hash of them if any."""
    return f"{version}+{hashlib.sha256(msgspec.msgpack.encode(added)).hexdigest()[:8]}" if added else version
