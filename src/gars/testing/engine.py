"""A deterministic double of the two-stage model: simple scores that still react to a click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.recommend import rerank
from gars.application.recommend.engine import Reason, Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain import candidates, item_table
from gars.domain.anime import Anime
from gars.domain.candidates import Candidates, Filters
from gars.domain.history import History, Rating, from_ratings
from gars.domain.item_table import ItemTable
from gars.domain.top_k import top_k
from gars.testing.anime import sample_catalogue

_CLICK_WEIGHT = 0.5


class FakeEngine:
    """An ``Engine`` that scores by shared genres, then by popularity. ``users`` are its training users."""

    def __init__(
        self,
        anime: Sequence[Anime] | None = None,
        *,
        version: str = "fake-1",
        users: Mapping[str, Sequence[Rating]] | None = None,
    ) -> None:
        self.version = version
        self._anime = tuple(sample_catalogue() if anime is None else anime)
        self._items = item_table.build(self._anime)
        self._users = {user_id: from_ratings(ratings) for user_id, ratings in (users or {}).items()}
        genres = self._items.genres
        norms = np.maximum(1, np.sqrt(genres.sum(axis=1)))
        self._likeness: NDArray[np.float32] = (genres @ genres.T / norms[:, None] / norms[None, :]).astype(np.float32)
        self._fame: NDArray[np.float32] = (np.log10(1 + np.nan_to_num(self._items.members)) / 10).astype(np.float32)

    @property
    def anime(self) -> Sequence[Anime]:
        """Return the catalogue, ascending by id."""
        return self._anime

    @property
    def items(self) -> ItemTable:
        """Return the catalogue in columns."""
        return self._items

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Return no names: this double has no features."""
        return ()

    def like_chances(self, history: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logistic function of the scores, NaN for ids that are missing in the catalogue."""
        rows = self._items.rows(anime_ids)
        return np.where(rows >= 0, 1 / (1 + np.exp(-self._scores(history)[rows])), np.nan).astype(np.float32)

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Return the requested ranks of the list by shared genres and popularity."""
        scores = self._scores(history)
        rows = self._best(scores, history, request.filters, request.end)[request.offset :]
        return [self._recommendation(row, float(scores[row]), history) for row in rows.tolist()]

    def retrieve(self, history: History, *, want: int, filters: Filters) -> Candidates:  # noqa: ARG002
        """Return all allowed anime by shared genres and popularity."""
        scores = self._scores(history)
        masked = np.where(candidates.allowed(self._items, history, filters), scores, -np.inf).astype(np.float32)
        rows = top_k(masked, self._items.anime_ids, len(self._items))
        column = scores[rows][:, None]
        return Candidates(rows, column, column > 0, column, column, scores[rows], ("genres",))

    def rank_found(self, history: History, found: Candidates, request: ListRequest) -> list[Recommendation]:
        """Rank the candidates as ``recommend_history`` does."""
        scores = self._scores(history)
        best = self._best(scores, history, request.filters, len(self._items))
        rows = best[np.isin(best, found.rows)][request.offset : request.end]
        return [self._recommendation(row, float(scores[row]), history) for row in rows.tolist()]

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Return the ids of ``recommend_history``: this double has one stage."""
        return self._items.anime_ids[self._best(self._scores(history), history, filters, k)]

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Return the most popular ids."""
        plain = msgspec.structs.replace(filters, niche=0.0, diversity=0.0)
        return self._items.anime_ids[self._best(self._fame, from_ratings([]), plain, k)]

    def new_ids(self, history: History, *, k: int, filters: Filters) -> list[tuple[int, float]]:
        """Return anime that no training user has, by shared genres and popularity: all of them without such users."""
        watched = np.concatenate([np.empty(0, np.int64), *(one.anime_ids for one in self._users.values())])
        asked = msgspec.structs.replace(filters, exclude_ids=(*filters.exclude_ids, *watched.tolist()))
        scores = self._scores(history)
        return [(int(self._items.anime_ids[row]), float(scores[row])) for row in self._best(scores, history, asked, k)]

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Return similar anime by shared genres."""
        row = int(self._items.rows(np.array([anime_id]))[0])
        scores = self._likeness[row].copy()
        scores[row] = -np.inf
        if not same_franchise:
            scores[self._items.franchises == self._items.franchises[row]] = -np.inf
        rows = top_k(scores, self._items.anime_ids, k)
        return [(int(self._items.anime_ids[r]), min(1.0, float(scores[r]))) for r in rows]

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """Return training users by the Jaccard index of their anime with the history's."""
        mine = set(history.anime_ids.tolist()) | set(history.clicks.tolist())
        scored = [
            (len(mine & theirs) / len(mine | theirs), user_id)
            for user_id, other in self._users.items()
            if user_id != exclude and (theirs := set(other.anime_ids.tolist()))
        ]
        return [(user_id, score) for score, user_id in sorted(scored, key=lambda s: (-s[0], s[1]))[:k] if score > 0]

    def _scores(self, history: History) -> NDArray[np.float32]:
        weights = np.zeros(len(self._items), np.float32)
        for ids, history_weights in (
            (history.anime_ids, history.weights),
            (history.clicks, np.full(len(history.clicks), _CLICK_WEIGHT, np.float32)),
        ):
            rows = self._items.rows(ids)
            np.add.at(weights, rows[rows >= 0], history_weights[rows >= 0])
        return (self._likeness @ weights + self._fame).astype(np.float32)

    def _best(self, scores: NDArray[np.float32], history: History, filters: Filters, k: int) -> NDArray[np.int64]:
        scores = rerank.lean_niche(scores, np.nan_to_num(self._items.members), filters.niche)
        masked = np.where(candidates.allowed(self._items, history, filters), scores, -np.inf).astype(np.float32)
        ordered = top_k(masked, self._items.anime_ids, len(self._items))
        if filters.one_per_franchise:
            ordered = ordered[rerank.collapse(ordered, self._items.franchises)]
        if filters.diversity:
            pool = ordered[: rerank.POOL]
            likeness = rerank.likeness_of(np.zeros((len(pool), 0), np.float32), self._items.genres[pool])
            start = len(filters.shown)
            rows = np.arange(len(pool))
            ordered = ordered[rerank.diversify(scores[ordered], rows, likeness, filters.diversity, start=start)]
        return ordered[:k]

    def _recommendation(self, row: int, score: float, history: History) -> Recommendation:
        entry = self._anime[row]
        return Recommendation(
            anime_id=entry.anime_id,
            score=score,
            p_like=float(1 / (1 + np.exp(-score))),
            channels=("popularity",) if history.is_empty else ("genres", "popularity"),
            reasons=(self._reason(row, history),),
            terms={"model": score},
        )

    def _reason(self, row: int, history: History) -> Reason:
        known = np.concatenate([history.anime_ids, history.clicks])
        rows = self._items.rows(known)
        rows = rows[rows >= 0]
        if not len(rows):
            return Reason(kind="popular", text="Popular with everybody")
        closest = int(rows[np.argmax(self._likeness[row, rows])])
        anime = self._anime[closest]
        was_opened = anime.anime_id in history.clicks
        return Reason.of(
            "click" if was_opened else "because",
            f"Because of {anime.title}",
            anime,
            float(self._likeness[row, closest]),
            "opened" if was_opened else "watched",
        )


def make() -> FakeEngine:
    """Return the double with its sample catalogue: ``gars serve --engine-factory gars.testing.engine:make``."""
    return FakeEngine()
