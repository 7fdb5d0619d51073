"""Route of the titles that a user plans to watch."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from litestar import get

from gars.bootstrap import Service
from gars.domain import history
from gars.domain.user_state import UserState
from gars.entrypoints.api.cards import card
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.shapes import AnimeCard
from gars.entrypoints.api.workers import run_in_worker


class PlanEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A planned title: ``p_like`` is null for a user without history, ``duration_min`` is the minutes of an episode."""

    anime: AnimeCard
    p_like: float | None
    duration_min: int | None


class PlanBody(msgspec.Struct, frozen=True):
    """Planned titles, the most likely to be liked first."""

    user_id: str
    version: int
    items: list[PlanEntry]


@get("/users/{user_id:str}/plan", summary="What a user plans to watch", responses=errors(400, 503), tags=["users"])
async def get_plan(service: ServiceDep, user_id: UserId) -> PlanBody:
    """All titles with the status `planned` that the user has not marked as seen, by the predicted chance of a like."""
    return await run_in_worker(service, _plan, service, checked_user_id(user_id))


def _plan(service: Service, user_id: str) -> PlanBody:
    state = service.states.get(user_id) or UserState(user_id=user_id)
    planned = [
        anime
        for anime_id, opinion in state.opinions.items()
        if opinion.status is not None
        and opinion.status.value == "planned"
        and (opinion.seen is None or opinion.seen.value is None)
        and (anime := service.catalogue.find(anime_id)) is not None
    ]
    known = history.from_state(state)
    chances = [math.nan] * len(planned)
    if planned and len(known.anime_ids):
        chances = service.engine.like_chances(known, np.array([one.anime_id for one in planned], np.int64)).tolist()
    entries = [
        PlanEntry(anime=card(one), p_like=None if math.isnan(chance) else chance, duration_min=one.duration_min)
        for one, chance in zip(planned, chances, strict=True)
    ]
    return PlanBody(
        user_id, state.version, sorted(entries, key=lambda entry: (-(entry.p_like or 0.0), entry.anime.anime_id))
    )
