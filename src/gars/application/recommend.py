"""The list of a user, made live from their state, with the next best answer when a stage fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from gars.application.attempts import Attempt
from gars.application.engine import Engine, Recommendation
from gars.application.explore import ranked
from gars.application.ladder import Fallback, Ladder
from gars.application.list_cache import Asked, Kept, ListCache, MadeFrom, made_from
from gars.application.ports import Clock, StateStore
from gars.application.stage_times import stage
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.experiment import Experiment
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
    made_from: MadeFrom | None = None
    """As long as this is so the same list comes out; ``None``: chance or a fallback had a part in it."""


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
        experiment: Experiment | None = None,
        explore: float = 0.0,
        ladder: Ladder | None = None,
        lists: ListCache | None = None,
        others: Mapping[str, tuple[Engine, Ladder]] | None = None,
    ) -> None:
        self._engine = engine
        self._states = states
        self._clock = clock
        self._record = record
        self._variant = variant
        self._experiment = experiment
        self._explore = explore
        self._ladder = ladder or Ladder(engine)
        self._lists = ListCache(0) if lists is None else lists
        self._others = others or {}
        """Of the experiment's variants whose lists another model makes."""

    def model_version(self, user_id: str) -> str:
        """Which model makes this user's lists."""
        arm = "" if self._experiment is None or not self._others else self._experiment.variant_of(user_id).name
        return self._made_by(arm)[0].version

    def _made_by(self, arm: str) -> tuple[Engine, Ladder]:
        return self._others.get(arm) or (self._engine, self._ladder)

    def __call__(
        self,
        user_id: str,
        *,
        k: int = 20,
        offset: int = 0,
        filters: Filters = SERVICE_DEFAULTS,
        request_id: str | None = None,
        attempt: Attempt | None = None,
    ) -> RecommendedList:
        """Places ``offset`` … ``offset + k`` of the user's list; somebody unknown gets the popular one.

        A list with a ``request_id`` is one that is shown: it is recorded as an impression. With an ``attempt`` somebody
        watches how long the ranking takes, and calls again with the same one when it is late.

        Raises:
            InvalidInputError: the filters name a type or genre the catalogue does not know.
            LeftBehindError: the attempt was late. Its list is kept nowhere and not recorded.
            StorageError: the state could not be read.
        """
        moment = self._lists.moment
        with stage("state"):
            state = self._states.get(user_id)
        # what is not out yet is never shown; the day goes with the impression, so the list can be made again
        filters = msgspec.structs.replace(filters, released_by=self._clock.now().date())
        variant, explore = self._variant, self._explore
        engine, ladder = self._engine, self._ladder
        if self._experiment is not None:
            arm = self._experiment.variant_of(user_id)
            variant, filters = f"{self._experiment.name}/{arm.name}", arm.applied(filters)
            explore = explore if arm.rules.explore is None else arm.rules.explore
            engine, ladder = self._made_by(arm.name)
        made_of, asked = made_from(state, engine.version), Asked(k, offset, filters)
        fallback: Fallback | None = None
        kept = self._lists.get(user_id, made_of, asked) if not explore else None
        if kept is None:
            with stage("state"):
                known = history.from_state(state or UserState(user_id=user_id))
            fallback, items = ladder(
                lambda: ranked(
                    engine, known, k=k, offset=offset, filters=filters, request_id=request_id, explore=explore
                ),
                known,
                k=k,
                offset=offset,
                filters=filters,
                attempt=attempt,
            )
            kept = Kept(known.is_empty, items)
            if fallback is None and not explore:
                self._lists.put(user_id, made_of, asked, kept, moment=moment)
        made = RecommendedList(
            user_id,
            made_of.version,
            made_of.model_version,
            kept.cold,
            fallback,
            kept.items,
            request_id,
            None if fallback is not None or explore else made_of,
        )
        if request_id is not None:
            self._record(
                self._impression(
                    made, request_id, k=k, offset=offset, filters=filters, variant=variant, explore=explore
                )
            )
        return made

    def _impression(
        self,
        made: RecommendedList,
        request_id: str,
        *,
        k: int,
        offset: int,
        filters: Filters,
        variant: str,
        explore: float,
    ) -> Impression:
        return Impression(
            request_id=request_id,
            user_id=made.user_id,
            time=self._clock.now(),
            state_version=made.version,
            model_version=made.model_version,
            variant=variant,
            fallback=made.fallback,
            k=k,
            offset=offset,
            filters=filters,
            explore=explore,
            items=tuple(
                ShownItem(
                    item.anime_id,
                    len(filters.shown) + offset + place,
                    item.score,
                    item.channels,
                    item.features,
                    item.propensity,
                )
                for place, item in enumerate(made.items)
            ),
        )
