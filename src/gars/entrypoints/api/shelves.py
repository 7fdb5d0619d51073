"""Routes of shelves: continuations, hidden gems, trending, seasonal and new titles."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.paging import page_of, resume, without_shown
from gars.domain.season import Season
from gars.entrypoints.api import cards
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import CursorParam, FiltersDep, K, ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.shapes import AnimeCard, RecommendationsBody
from gars.entrypoints.api.workers import run_in_worker, run_with_deadline


class ContinueEntry(msgspec.Struct, frozen=True):
    """An anime that continues a title the user completed."""

    anime: AnimeCard
    after: AnimeCard


class ContinueBody(msgspec.Struct, frozen=True):
    """The next parts of the stories a user follows."""

    user_id: str
    items: list[ContinueEntry]


class TrendEntry(msgspec.Struct, frozen=True):
    """A title and its decayed count of events; 0 for a popular title that fills the shelf."""

    anime: AnimeCard
    heat: float


class TrendingBody(msgspec.Struct, frozen=True):
    """Trending titles, hottest first."""

    items: list[TrendEntry]


class SeasonBody(msgspec.Struct, frozen=True):
    """Anime that began in a season, most popular first."""

    year: int
    season: Season
    items: list[AnimeCard]


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An anime with the day of its first episode and its season, such as ``2026-fall``, where they are known."""

    anime: AnimeCard
    released: date | None
    season: str | None


class CalendarBody(msgspec.Struct, frozen=True, kw_only=True):
    """Titles on air, those of this season first, and titles to come, soonest first."""

    today: date
    on: list[CalendarEntry]
    later: list[CalendarEntry]


class NewBody(msgspec.Struct, frozen=True):
    """Anime without ratings in the training data, nearest to the user's taste first."""

    user_id: str
    items: list[AnimeCard]


@get("/anime/trending", summary="What is asked for now", responses=errors(400), tags=["anime"])
async def get_trending(service: ServiceDep, filters: FiltersDep, k: K = 20) -> TrendingBody:
    """By the events of all users, with a half-life of three days; filled up with popular titles."""
    found = await run_in_worker(service, service.shelves.trending, k=k, filters=filters)
    return TrendingBody([TrendEntry(cards.card(service.catalogue.get(one.anime_id)), one.heat) for one in found])


@get("/anime/season", summary="What began in a season", responses=errors(400), tags=["anime"])
async def get_season(
    service: ServiceDep,
    filters: FiltersDep,
    k: K = 20,
    year: Annotated[int | None, QueryParameter(ge=1900, le=9999, description="This year by default")] = None,
    season: Annotated[Season | None, QueryParameter(description="The current one by default")] = None,
) -> SeasonBody:
    """Most popular first. Winter begins in January."""
    found_year, found_season, ids = await run_in_worker(
        service, service.shelves.season, k=k, year=year, season=season, filters=filters
    )
    return SeasonBody(found_year, found_season, [cards.card(service.catalogue.get(anime_id)) for anime_id in ids])


@get("/anime/calendar", summary="What is on now and what comes", responses=errors(400), tags=["anime"])
async def get_calendar(service: ServiceDep, filters: FiltersDep, k: K = 60) -> CalendarBody:
    """Titles that began this season, then those still airing, and titles to come with their first day; `k` of each.

    A title is taken to be over 60 days after its last episode would have come, one a week. `min_members` is off.
    """
    found = await run_in_worker(service, service.shelves.calendar, k=k, filters=filters)

    def entries(ids: list[int]) -> list[CalendarEntry]:
        return [
            CalendarEntry(anime=cards.card(one), released=one.released, season=one.season)
            for one in map(service.catalogue.get, ids)
        ]

    return CalendarBody(today=found.today, on=entries(found.on), later=entries(found.later))


@get("/users/{user_id:str}/continue", summary="What comes next", responses=errors(400, 503), tags=["users"])
async def get_continue(
    service: ServiceDep,
    user_id: UserId,
    k: K = 20,
    adult: Annotated[bool, QueryParameter(description="Show adult titles")] = False,
) -> ContinueBody:
    """Next parts of stories of which the user completed a part, best liked first."""
    user_id = checked_user_id(user_id)
    found = await run_in_worker(service, service.shelves.continues, user_id, k=k, adult=adult)
    anime = service.catalogue.get
    return ContinueBody(
        user_id, [ContinueEntry(cards.card(anime(one.anime_id)), cards.card(anime(one.after))) for one in found]
    )


@get(
    "/users/{user_id:str}/hidden-gems",
    summary="What suits a user and few know",
    responses=errors(400, 503),
    tags=["users"],
)
async def get_hidden_gems(
    service: ServiceDep, user_id: UserId, filters: FiltersDep, k: K = 20, after: CursorParam = ""
) -> RecommendationsBody:
    """The user's list from the less known half of the catalogue."""
    plain = ListRequest(user_id=checked_user_id(user_id), k=k, filters=filters, request_id=uuid.uuid4().hex)
    asked = service.shelves.hidden_gems(plain)
    before = resume(asked, after) if after else None
    made = await run_with_deadline(service, service.recommend, without_shown(asked, before))
    return cards.recommendations(page_of(made, asked, before), service.catalogue)


@get(
    "/users/{user_id:str}/new",
    summary="What has no ratings in the data yet",
    responses=errors(400, 503),
    tags=["users"],
)
async def get_new(service: ServiceDep, user_id: UserId, filters: FiltersDep, k: K = 20) -> NewBody:
    """Anime without ratings in the training data, nearest to the user's taste by their descriptions first.

    Titles with more than 20,000 members are left out unless `max_members` is given: they are widely known, and only
    missing from these data.
    """
    user_id = checked_user_id(user_id)
    ids = await run_in_worker(service, service.shelves.new, user_id, k=k, filters=filters)
    return NewBody(user_id, [cards.card(service.catalogue.get(anime_id)) for anime_id in ids])
