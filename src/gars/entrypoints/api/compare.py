"""Route that compares the taste of two users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter
from msgspec import Meta

from gars.application.recommend.compare import ComparedTitle
from gars.bootstrap import Service
from gars.entrypoints.api.cards import card
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import MAX_USER_ID, ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.shapes import AnimeCard
from gars.entrypoints.api.workers import run_in_worker

Share = Annotated[float, Meta(ge=0, le=1)]
OtherId = Annotated[str, PathParameter(min_length=1, max_length=MAX_USER_ID, description="The user to compare with")]


class ComparedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A title that both users rated; a rating is null where there is only a like or a dislike."""

    anime: AnimeCard
    rating: int | None
    other_rating: int | None


class CompareBody(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of two users.

    ``match`` is the probability that both like or both dislike a title that at least one of them watched, over
    ``titles`` such titles; ``by_chance`` is the same for independent tastes. Both are null if one of the users has no
    titles. Of ``rated`` titles that both rated they agree on ``agreed``; ``shared`` titles were watched by both.
    """

    user_id: str
    other_id: str
    match: Share | None
    by_chance: Share | None
    titles: int
    shared: int
    rated: int
    agreed: int
    both_love: list[ComparedEntry]
    differ: list[ComparedEntry]


@get(
    "/users/{user_id:str}/compare/{other_id:str}",
    summary="How far two users agree",
    responses=errors(400, 404, 503),
    tags=["users"],
)
async def get_comparison(service: ServiceDep, user_id: UserId, other_id: OtherId) -> CompareBody:
    """The probability of agreement, what both love, and where they differ. 404 `unknown_user` if there is no such user.

    What both can watch together comes from `POST /groups/recommendations`.
    """
    return await run_in_worker(service, _compare, service, checked_user_id(user_id), checked_user_id(other_id))


def _compare(service: Service, user_id: str, other_id: str) -> CompareBody:
    found = service.compare_users(user_id, other_id)

    def entries(titles: Sequence[ComparedTitle]) -> list[ComparedEntry]:
        return [
            ComparedEntry(anime=card(anime), rating=one.rating, other_rating=one.other_rating)
            for one in titles
            if (anime := service.catalogue.find(one.anime_id)) is not None
        ]

    return CompareBody(
        user_id=user_id,
        other_id=other_id,
        match=found.match,
        by_chance=found.by_chance,
        titles=found.titles,
        shared=found.shared,
        rated=found.rated,
        agreed=found.agreed,
        both_love=entries(found.both_love),
        differ=entries(found.differ),
    )
