"""Fallback chain: the next best list when a stage fails or its time is spent.

    ranking → candidates in the order of retrieval → similar content → trending → popular

Each level needs less than the one before it. The last needs only data in memory since the model was loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gars.application.recommend import rerank
from gars.application.recommend.engine import Engine, Reason, Recommendation
from gars.application.recommend.explore import explored
from gars.application.recommend.list_request import ListRequest
from gars.domain import candidates
from gars.domain.candidates import Filters
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History
from gars.domain.top_k import top_k
from gars.runtime.budgets import AbandonedError, Budget, Deadline, OutOfTimeError

logger = logging.getLogger(__name__)

Fallback = Literal["retrieval", "similar", "trending", "popular"]
FallbackLevel = Literal["ranking", "retrieval", "similar", "trending", "popular"]
FALLBACK_LEVELS: Final[tuple[FallbackLevel, ...]] = get_args(FallbackLevel)

ListMaker = Callable[[History, ListRequest], list[Recommendation]]

_P_UNKNOWN = 0.5
"""``p_like`` of a list without a ranking model."""
_CLICK_WEIGHT = 0.5
_FAME = 0.1
"""Bonus of the most popular title over the least popular one; identical content has 1."""
_CHANNELS: Final[dict[FallbackLevel, str]] = {"similar": "content", "popular": "popularity"}
"""Channel name of a level, where it differs from the level's."""


def no_limits() -> dict[FallbackLevel, Budget]:
    """Return budgets without limits."""
    return {level: Budget(level, 0) for level in FALLBACK_LEVELS}


class FallbackChain:
    """Makes a list by the best level that answers in time. Safe to call from many threads.

    ``budgets`` and their counts may outlive it: each model has its own chain. ``trending`` returns anime ids, largest
    weight first; without it that level is skipped.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        budgets: Mapping[FallbackLevel, Budget] | None = None,
        trending: Callable[[], Sequence[int]] | None = None,
    ) -> None:
        self._engine = engine
        self._budgets = budgets or no_limits()
        self._trending = trending
        self.items = engine.items
        self._popular = self._rows(engine.popular_ids(k=len(self.items), filters=Filters()))
        self._fame = np.zeros(len(self.items), np.float32)
        self._fame[self._popular] = np.linspace(_FAME, 0, len(self._popular), dtype=np.float32)
        self._below: tuple[tuple[FallbackLevel, ListMaker], ...] = (
            ("retrieval", self._retrieved),
            ("similar", self._similar),
            ("trending", self._trending_list),
        )
        self._rarity = _rarity(self.items.genres)
        lengths = np.sqrt(self.items.genres**2 @ self._rarity**2)
        self._per_length = (1 / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def __call__(
        self, history: History, request: ListRequest, *, explore: float = 0.0, deadline: Deadline | None = None
    ) -> tuple[Fallback | None, list[Recommendation]]:
        """Return the requested ranks of the ranked list, or those of the next best one, and the level it came from.

        Each level has its time budget if a watcher holds the ``deadline``; if this thread is abandoned, the watcher
        calls again with the same deadline and gets the levels below. ``explore`` is the share of lists with an
        exploration slot.

        Raises:
            InvalidInputError: the filters are invalid, at every level.
            AbandonedError: a level was late, and the watcher answers.
        """
        ranking: ListMaker = partial(explored, self._engine, explore) if explore else self._engine.recommend_history
        levels: tuple[tuple[FallbackLevel, ListMaker], ...] = (("ranking", ranking), *self._below)
        deadline = deadline or Deadline(0)  # without a watcher nothing is abandoned
        for level, make in levels:
            budget = self._budgets[level]
            if budget in deadline.handled:
                continue
            try:
                with deadline.stage(budget):
                    made = make(history, request)
            except (InvalidInputError, AbandonedError):
                raise
            except OutOfTimeError as late:  # counted already
                logger.warning("%s is out of time: %s; using the next best list", level, late)
            except StageError as away:
                logger.warning("%s: %s; using the next best list", level, away.message)
                budget.count("away")
            except Exception:
                logger.exception("%s failed; using the next best list", level)
                budget.count("failed")
            else:
                if made or level in ("ranking", "retrieval"):  # no other list may be empty while one below is not
                    budget.count("ok")
                    return (None if level == "ranking" else level), made
                budget.count("nothing")
            deadline.handled.add(budget)
        return "popular", self._popular_list(history, request)

    def _retrieved(self, history: History, request: ListRequest) -> list[Recommendation]:
        ids: list[int] = self._engine.retrieve_ids(history, k=request.end, filters=request.filters).tolist()
        return _plain(ids, request.offset, "retrieval")

    def _similar(self, history: History, request: ListRequest) -> list[Recommendation]:
        """Rank by genres of the titles the user likes, rare genres weighted more; needs no model."""
        weights = np.zeros(len(self.items), np.float32)
        for ids, history_weights in (
            (history.anime_ids, history.weights),
            (history.clicks, np.full(len(history.clicks), _CLICK_WEIGHT, np.float32)),
        ):
            rows = self.items.rows(ids)
            np.add.at(weights, rows[rows >= 0], history_weights[rows >= 0])
        # rows of unit length of genres · rarity, without keeping the matrix
        profile = ((weights * self._per_length) @ self.items.genres) * self._rarity
        length = float(np.linalg.norm(profile))
        if not length:
            return []
        scores = (self.items.genres @ (self._rarity * profile / length)) * self._per_length + self._fame
        order = top_k(scores.astype(np.float32), self.items.anime_ids, len(self.items))
        return _plain(self._allowed(order, history, request), request.offset, "similar")

    def _trending_list(self, history: History, request: ListRequest) -> list[Recommendation]:
        if self._trending is None:
            return []
        order = self._rows(np.array(self._trending(), np.int64))
        return _plain(self._allowed(order, history, request), request.offset, "trending")

    def _popular_list(self, history: History, request: ListRequest) -> list[Recommendation]:
        made = _plain(self._allowed(self._popular, history, request), request.offset, "popular")
        self._budgets["popular"].count("ok")
        return made

    def _allowed(self, order: NDArray[np.int64], history: History, request: ListRequest) -> list[int]:
        """Return the first ids of an order of rows that pass the filters, up to the last requested rank."""
        kept = order[candidates.allowed(self.items, history, request.filters)[order]]
        if request.filters.one_per_franchise:
            kept = kept[rerank.collapse(kept, self.items.franchises)]
        return self.items.anime_ids[kept[: request.end]].tolist()  # type: ignore[no-any-return]

    def _rows(self, anime_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        rows = self.items.rows(anime_ids)
        return rows[rows >= 0]


def _rarity(genres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weight each genre by its rarity: log(n / titles that have it + 1). (n, g) → (g,)"""
    rarity: NDArray[np.float32] = np.log(len(genres) / np.maximum(1, genres.sum(axis=0)) + 1).astype(np.float32)
    return rarity


def _plain(anime_ids: Sequence[int], offset: int, level: FallbackLevel) -> list[Recommendation]:
    """Make a list in the given order; the score is the reciprocal rank."""
    why = (Reason(kind="popular", text="Popular with everybody"),) if level == "popular" else ()
    return [
        Recommendation(
            anime_id=anime_id,
            score=1 / (1 + place),
            p_like=_P_UNKNOWN,
            channels=(_CHANNELS.get(level, level),),
            reasons=why,
        )
        for place, anime_id in enumerate(anime_ids)
    ][offset:]
