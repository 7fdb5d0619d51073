"""The list of a user, made live from their state, with the next best answer when a stage fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gars.application.ladder import Fallback, Ladder
from gars.application.ports import Clock, Engine, Recommendation, StateStore
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.impression import Impression, ShownItem
from gars.domain.user_state import UserState

DEFAULT_VARIANT = "default"
"""The arm of whoever is in no experiment."""


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
        ladder: Ladder | None = None,
    ) -> None:
        self._engine = engine
        self._states = states
        self._clock = clock
        self._record = record
        self._variant = variant
        self._ladder = ladder or Ladder(engine)

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
        # what is not out yet is never shown; the day goes with the impression, so the list can be made again
        filters = msgspec.structs.replace(filters, released_by=self._clock.now().date())
        fallback, items = self._ladder(
            lambda: self._engine.recommend_history(known, k=k, offset=offset, filters=filters),
            known,
            k=k,
            offset=offset,
            filters=filters,
        )
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
                ShownItem(item.anime_id, len(filters.shown) + offset + place, item.score, item.channels, item.features)
                for place, item in enumerate(made.items)
            ),
        )
