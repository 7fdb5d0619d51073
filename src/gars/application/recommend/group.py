"""Recommendations for a group: average without misery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.application.catalogue.catalogue import Catalogue
from gars.application.ports import Clock, StateStore
from gars.application.recommend.engine import Engine
from gars.application.recommend.list_request import ListRequest
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError, UnknownUserError
from gars.domain.history import History

MAX_MEMBERS = 20
MISERY = 0.4
"""Threshold of the chance of liking: titles below it for any member come after all others."""
_POOL = 5
"""Length of each member's list, as a multiple of ``k``."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group; ``weight`` is their weight in the mean."""

    user_id: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Joy:
    """A title for a group; ``joys`` has each member's chance of liking: ``score`` the mean, ``least`` the minimum."""

    anime_id: int
    score: float
    least: float
    joys: dict[str, float]


class RecommendToGroup:
    """The use case behind ``POST /groups/recommendations``.

    Masthoff, "Group Recommender Systems", Recommender Systems Handbook, 2015: average without misery.
    """

    def __init__(self, *, engine: Engine, catalogue: Catalogue, states: StateStore, clock: Clock) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._states = states
        self._clock = clock

    def __call__(self, members: Sequence[Member], *, k: int = 20, filters: Filters = SERVICE_DEFAULTS) -> list[Joy]:
        """Return titles that no member has seen, best score first.

        Raises:
            InvalidInputError: no members, too many, one twice, or an invalid weight; filters with unknown names.
            UnknownUserError: a member who does not exist: they would be given what is popular.
        """
        _check(members)
        states = self._states.get_many([member.user_id for member in members])
        if missing := [member.user_id for member in members if member.user_id not in states]:
            raise UnknownUserError(missing)
        known = [history.from_state(states[member.user_id]) for member in members]
        ids = self._proposed(known, k, filters)
        joys = np.stack([np.nan_to_num(self._engine.like_chances(one, ids)) for one in known])
        weights = np.array([member.weight for member in members], np.float64)
        score = weights @ joys / weights.sum()
        least = joys.min(axis=0) if len(ids) else np.empty(0)
        order = np.lexsort((ids, -score, least < MISERY))
        return [
            Joy(
                int(ids[place]),
                float(score[place]),
                float(least[place]),
                {member.user_id: float(joy) for member, joy in zip(members, joys[:, place], strict=True)},
            )
            for place in self._one_each(ids, order.tolist(), filters)[:k]
        ]

    def _proposed(self, known: Sequence[History], k: int, filters: Filters) -> NDArray[np.int64]:
        """Return the union of the members' lists by id, without titles that one has seen or cannot follow yet."""
        seen = {anime_id for one in known for anime_id in one.anime_ids[one.hidden].tolist()}
        asked = msgspec.structs.replace(
            filters, exclude_ids=(*filters.exclude_ids, *sorted(seen)), released_by=self._clock.now().date()
        )
        request = ListRequest(k=_POOL * k, filters=asked)
        proposed = {item.anime_id for one in known for item in self._engine.recommend_history(one, request)}
        if filters.hide_sequels:
            done = [set(one.anime_ids.tolist()) - set(one.unfinished.tolist()) for one in known]
            proposed = {
                anime_id
                for anime_id in proposed
                if all(not (before := self._prequels(anime_id)) or before & finished for finished in done)
            }
        return np.array(sorted(proposed), np.int64)

    def _prequels(self, anime_id: int) -> set[int]:
        return {before for before in self._catalogue.get(anime_id).prequels if before in self._catalogue}

    def _one_each(self, ids: NDArray[np.int64], order: list[int], filters: Filters) -> list[int]:
        """Keep the first title of each franchise, if the filters ask for it."""
        if not filters.one_per_franchise:
            return order
        first: dict[str, int] = {}
        for place in order:
            anime_id = int(ids[place])
            first.setdefault(self._catalogue.get(anime_id).franchise or f"self:{anime_id}", place)
        return list(first.values())


def _check(members: Sequence[Member]) -> None:
    if not 1 <= len(members) <= MAX_MEMBERS:
        raise InvalidInputError(f"a group has 1 to {MAX_MEMBERS} members, got {len(members)}", hint="name who watches")
    ids = [member.user_id for member in members]
    if twice := sorted({user_id for user_id in ids if ids.count(user_id) > 1}):
        raise InvalidInputError(
            f"in the group twice: {', '.join(twice)}", hint="name each once; weights say who counts"
        )
    if bad := [member.user_id for member in members if not 0 < member.weight <= 100]:
        raise InvalidInputError(f"the weight of {', '.join(bad)} is not above 0 and at most 100", hint="1 is usual")
