"""Recommend a list to a user from their current state, with fallbacks when a stage fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from gars.application.ports import Clock, StateStore
from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.fallback_chain import Fallback, FallbackChain
from gars.application.recommend.list_cache import CachedList, CacheKey, ListCache, cache_key
from gars.application.recommend.list_request import ListRequest
from gars.domain.experiment import Experiment
from gars.domain.history import from_state
from gars.domain.impression import Impression, ShownItem
from gars.domain.user_state import UserState
from gars.runtime.budgets import Deadline
from gars.runtime.stage_times import stage

DEFAULT_VARIANT = "default"
"""Variant of users in no experiment."""


@dataclass(frozen=True, slots=True)
class RecommendedList:
    """A user's list, and the inputs it was made from."""

    user_id: str
    version: int
    model_version: str
    cold: bool
    fallback: Fallback | None
    items: list[Recommendation]
    request_id: str | None = None
    cache_key: CacheKey | None = None
    """Key of the inputs, which determine the list; ``None`` if exploration or a fallback was involved."""


def _not_recorded(_impression: Impression) -> None:
    """Ignore an impression; for callers that store none."""


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
        experiment: Experiment | None = None,
        explore: float = 0.0,
        fallback_chain: FallbackChain | None = None,
        lists: ListCache | None = None,
        others: Mapping[str, tuple[Engine, FallbackChain]] | None = None,
    ) -> None:
        self._engine = engine
        self._states = states
        self._clock = clock
        self._record = record
        self._variant = variant
        self._experiment = experiment
        self._explore = explore
        self._fallback_chain = fallback_chain or FallbackChain(engine)
        self._lists = ListCache(0) if lists is None else lists
        self._others = others or {}
        """Engine and fallback chain of the variants with a model of their own, by name of the variant."""
        self.has_made_a_list = False
        """True after the first list, made by any level of the fallback chain."""

    def model_version(self, user_id: str) -> str:
        """Return the version of the model that makes this user's lists."""
        arm = "" if self._experiment is None or not self._others else self._experiment.variant_of(user_id).name
        return self._made_by(arm)[0].version

    def _made_by(self, arm: str) -> tuple[Engine, FallbackChain]:
        return self._others.get(arm) or (self._engine, self._fallback_chain)

    def __call__(self, request: ListRequest, *, deadline: Deadline | None = None) -> RecommendedList:
        """Return the requested ranks of the user's list; an unknown user gets the popular one.

        A list with a ``request_id`` is shown to the user, so it is recorded as an impression. With a ``deadline`` a
        watcher enforces the time budgets, and calls again with the same deadline when a level is late.

        Raises:
            InvalidInputError: the filters name a type or genre the catalogue does not have.
            AbandonedError: a level was late. Its list is neither cached nor recorded.
            StorageError: the state could not be read.
        """
        moment = self._lists.moment
        with stage("state"):
            state = self._states.get(request.user_id)
        # what is not out yet is never shown; the day goes with the impression, so the list can be made again
        filters = replace(request.filters, released_by=self._clock.now().date())
        variant, explore = self._variant, self._explore
        engine, chain = self._engine, self._fallback_chain
        if self._experiment is not None:
            arm = self._experiment.variant_of(request.user_id)
            variant, filters = f"{self._experiment.name}/{arm.name}", arm.applied(filters)
            explore = explore if arm.rules.explore is None else arm.rules.explore
            engine, chain = self._made_by(arm.name)
        request = replace(request, filters=filters)
        key = cache_key(state, engine.version)
        fallback: Fallback | None = None
        kept = self._lists.get(request.user_id, key, request) if not explore else None
        if kept is None:
            with stage("state"):
                history = from_state(state or UserState(user_id=request.user_id))
            fallback, items = chain(history, request, explore=explore, deadline=deadline)
            kept = CachedList(history.is_empty, items)
            if fallback is None and not explore:
                self._lists.put(request.user_id, key, request, kept, moment=moment)
        made = RecommendedList(
            request.user_id,
            key.version,
            key.model_version,
            kept.cold,
            fallback,
            kept.items,
            request.request_id,
            None if fallback is not None or explore else key,
        )
        if request.request_id is not None:
            self._record(self._impression(made, request, request.request_id, variant, explore))
        self.has_made_a_list = True
        return made

    def _impression(
        self, made: RecommendedList, request: ListRequest, request_id: str, variant: str, explore: float
    ) -> Impression:
        first = len(request.filters.shown) + request.offset
        return Impression(
            request_id=request_id,
            user_id=made.user_id,
            time=self._clock.now(),
            state_version=made.version,
            model_version=made.model_version,
            variant=variant,
            fallback=made.fallback,
            k=request.k,
            offset=request.offset,
            filters=request.filters,
            explore=explore,
            items=tuple(
                ShownItem(item.anime_id, first + place, item.score, item.channels, item.features, item.propensity)
                for place, item in enumerate(made.items)
            ),
        )
