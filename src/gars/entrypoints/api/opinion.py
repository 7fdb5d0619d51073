"""Route of one anime for one user: the user's opinions of its franchise, and those of similar users."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np
from litestar import get
from msgspec import Meta

from gars.bootstrap import Service
from gars.domain import history
from gars.domain.history import LIKED_ABOVE
from gars.domain.user_state import Opinion, Register, UserState
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import AnimeIdPath, ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.workers import run_in_worker


class OpinionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A user's opinion of an anime; null if not given. ``reaction`` is 1 for a like, -1 for a dislike."""

    anime_id: int
    rating: int | None
    status: str | None
    reaction: int | None
    seen: bool
    dismissed: bool


class NeighboursBody(msgspec.Struct, frozen=True, kw_only=True):
    """Opinions of the ``asked`` most similar users: how many watched, rated and liked it, and their mean rating."""

    asked: int
    watched: int
    rated: int
    liked: int
    rating_mean: Annotated[float, Meta(ge=1, le=10)] | None


class AnimeForUserBody(msgspec.Struct, frozen=True, kw_only=True):
    """One anime for one user. ``opinions`` are on the anime and on others of its franchise.

    ``p_like`` is the probability of a rating above 7; null without a history, and for titles unknown to the model.
    """

    user_id: str
    anime_id: int
    version: int
    opinions: list[OpinionBody]
    neighbours: NeighboursBody
    p_like: Annotated[float, Meta(ge=0, le=1)] | None


_ASKED = 50
"""Number of similar users whose opinions are counted."""


@get(
    "/users/{user_id:str}/anime/{anime_id:int}",
    summary="One anime in a user's eyes",
    responses=errors(400, 404, 503),
    tags=["users"],
)
async def get_anime_for_user(service: ServiceDep, user_id: UserId, anime_id: AnimeIdPath) -> AnimeForUserBody:
    """The user's opinions of the anime and its franchise, and opinion counts of the 50 most similar users."""
    return await run_in_worker(service, _anime_for_user, service, checked_user_id(user_id), anime_id)


def _anime_for_user(service: Service, user_id: str, anime_id: int) -> AnimeForUserBody:
    service.catalogue.get(anime_id)  # raises for an unknown anime
    state = service.states.get(user_id) or UserState(user_id=user_id)
    line = {anime_id, *(entry.anime_id for entry, _ in service.catalogue.franchise_of(anime_id))}
    opinions = [
        _body(one, opinion)
        for one in sorted(line)
        if (opinion := state.opinions.get(one)) is not None and not opinion.is_empty
    ]
    return AnimeForUserBody(
        user_id=user_id,
        anime_id=anime_id,
        version=state.version,
        opinions=opinions,
        neighbours=_neighbours(service, user_id, anime_id),
        p_like=_chance_of_like(service, state, anime_id),
    )


def _chance_of_like(service: Service, state: UserState, anime_id: int) -> float | None:
    known = history.from_state(state)
    if not len(known.anime_ids):
        return None
    chance = float(service.engine.like_chances(known, np.array([anime_id], np.int64))[0])
    return None if math.isnan(chance) else chance


def _neighbours(service: Service, user_id: str, anime_id: int) -> NeighboursBody:
    alike = [one.user_id for one in service.similar_users(user_id, k=_ASKED)]
    states = service.states.get_many(alike)
    found = [
        opinion
        for other in alike
        if (held := states.get(other)) is not None
        and (opinion := held.opinions.get(anime_id)) is not None
        and not opinion.is_empty
    ]
    ratings = [rating for opinion in found if (rating := _number(opinion.rating)) is not None]
    liked = sum((_number(one.rating) or 0) > LIKED_ABOVE or _number(one.reaction) == 1 for one in found)
    return NeighboursBody(
        asked=len(alike),
        watched=len(found),
        rated=len(ratings),
        liked=liked,
        rating_mean=sum(ratings) / len(ratings) if ratings else None,
    )


def _body(anime_id: int, opinion: Opinion) -> OpinionBody:
    status = opinion.status.value if opinion.status is not None else None
    return OpinionBody(
        anime_id=anime_id,
        rating=_number(opinion.rating),
        status=None if status is None else str(status),
        reaction=_number(opinion.reaction),
        seen=_is_set(opinion.seen),
        dismissed=_is_set(opinion.dismissed),
    )


def _number(register: Register | None) -> int | None:
    return None if register is None or register.value is None else int(register.value)


def _is_set(register: Register | None) -> bool:
    return register is not None and register.value is not None
