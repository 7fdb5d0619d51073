"""The list of a user, made live from their state, with the next best answer when a stage fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from gars.application.ports import Clock, Engine, Reason, Recommendation, StateStore
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError
from gars.domain.history import History
from gars.domain.impression import Impression, ShownItem
from gars.domain.user_state import UserState

logger = logging.getLogger(__name__)

Fallback = Literal["retrieval", "popular"]

DEFAULT_VARIANT = "default"
"""The arm of whoever is in no experiment."""

_P_UNKNOWN = 0.5
"""``p_like`` of a list that no ranking model has seen."""


@dataclass(frozen=True, slots=True)
class RecommendedList:
    """A user's list, and what it was made from."""

    user_id: str
    version: int
    model_version: str
    cold: bool
    fallback: Fallback | None
    items: list[Recommendation]
    request_id: str | None = None


def _not_recorded(_impression: Impression) -> None:
    """For callers that keep no impressions."""


class Recommend:
    """The use case behind ``GET /users/{id}/recommendations``. Safe to call from many threads."""

    def __init__(
        self,
        *,
        engine: Engine,
        states: StateStore,
        clock: Clock,
        record: Callable[[Impression], None] = _not_recorded,
        variant: str = DEFAULT_VARIANT,
    ) -> None:
        self._engine = engine
        self._states = states
        self._clock = clock
        self._record = record
        self._variant = variant

    def __call__(
        self,
        user_id: str,
        *,
        k: int = 20,
        offset: int = 0,
        filters: Filters = SERVICE_DEFAULTS,
        request_id: str | None = None,
    ) -> RecommendedList:
        """Places ``offset`` … ``offset + k`` of the user's list; somebody unknown gets the popular one.

        A list with a ``request_id`` is one that is shown: it is recorded as an impression.

        Raises:
            InvalidInputError: the filters name a type or genre the catalogue does not know.
            StorageError: the state could not be read.
        """
        state = self._states.get(user_id) or UserState(user_id=user_id)
        known = history.from_state(state)
        fallback, items = self._first_that_works(known, k, offset, filters)
        made = RecommendedList(
            user_id, state.version, self._engine.version, known.is_empty, fallback, items, request_id
        )
        if request_id is not None:
            self._record(self._impression(made, request_id, k, offset, filters))
        return made

    def _impression(self, made: RecommendedList, request_id: str, k: int, offset: int, filters: Filters) -> Impression:
        return Impression(
            request_id=request_id,
            user_id=made.user_id,
            time=self._clock.now(),
            state_version=made.version,
            model_version=made.model_version,
            variant=self._variant,
            fallback=made.fallback,
            k=k,
            offset=offset,
            filters=filters,
            items=tuple(
                ShownItem(item.anime_id, offset + place, item.score, item.channels, item.features)
                for place, item in enumerate(made.items)
            ),
        )

    def _first_that_works(
        self, known: History, k: int, offset: int, filters: Filters
    ) -> tuple[Fallback | None, list[Recommendation]]:
        *rungs, last = self._ladder(known, k, offset, filters)
        for name, make in rungs:
            try:
                return name, make()
            except InvalidInputError:
                raise  # the caller's mistake: every rung would say the same
            except Exception:
                logger.exception("%s failed; using the next best list", name or "ranking")
        name, make = last
        return name, make()

    def _ladder(
        self, known: History, k: int, offset: int, filters: Filters
    ) -> Iterator[tuple[Fallback | None, Callable[[], list[Recommendation]]]]:
        """What to try, best first."""
        yield None, lambda: self._engine.recommend_history(known, k=k, offset=offset, filters=filters)
        yield (
            "retrieval",
            lambda: _plain(
                self._engine.retrieve_ids(known, k=offset + k, filters=filters).tolist(), offset, "retrieval"
            ),
        )
        yield "popular", lambda: _plain(self._popular(known, k, offset, filters), offset, "popularity")

    def _popular(self, known: History, k: int, offset: int, filters: Filters) -> list[int]:
        """The popular list without what the user has seen."""
        hidden = set(known.anime_ids[known.hidden].tolist())
        ids = self._engine.popular_ids(k=offset + k + len(hidden), filters=filters).tolist()
        return [anime_id for anime_id in ids if anime_id not in hidden][: offset + k]


def _plain(anime_ids: list[int], offset: int, channel: str) -> list[Recommendation]:
    """A list in the order given; the score falls with the place."""
    why = Reason(kind="popular", text="Popular with everybody") if channel == "popularity" else None
    return [
        Recommendation(
            anime_id=anime_id,
            score=1 / (1 + place),
            p_like=_P_UNKNOWN,
            channels=(channel,),
            reasons=(why,) if why else (),
        )
        for place, anime_id in enumerate(anime_ids)
    ][offset:]
