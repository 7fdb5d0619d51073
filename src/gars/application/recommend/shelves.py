"""Additional lists: next seasons, trending, the current season, hidden gems and new titles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

import msgspec
import numpy as np

from gars.application.catalogue.catalogue import Catalogue
from gars.application.ports import Clock, StateStore, Trends
from gars.application.recommend.engine import Engine, NewAnime
from gars.application.recommend.list_request import ListRequest
from gars.domain import history
from gars.domain.anime import Anime
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.season import SEASONS, Season, season_of
from gars.domain.trending import trends
from gars.domain.user_state import UserState

_UNRATED = 7.0
"""Rating assumed for a finished title without one."""
_GEM_NICHE = 0.5
_NEW_MEMBERS = 20_000
"""Maximum members of a new title; with more, the title is missing from the training data for another reason."""
_LATE = timedelta(days=60)
"""Pauses that a weekly series may have had before it is taken to be over."""
_DISLIKED = 5.0
"""Sequels of titles rated below this are not shown."""


@dataclass(frozen=True, slots=True)
class NextSeason:
    """A sequel of a title the user completed."""

    anime_id: int
    after: int
    """The completed title."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A title and its trending weight; 0 for a popular title that fills the shelf."""

    anime_id: int
    heat: float


@dataclass(frozen=True, slots=True)
class Calendar:
    """Titles on air and titles to come, by id."""

    today: date
    on: list[int]
    later: list[int]


class Shelves:
    """The use cases behind the shelves. Safe to call from many threads."""

    def __init__(
        self,
        *,
        engine: Engine,
        catalogue: Catalogue,
        states: StateStore,
        clock: Clock,
        trending: Trends,
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._states = states
        self._clock = clock
        self._trending = trending
        members = [entry.members for entry in catalogue.anime if entry.members is not None]
        known = [count for count in members if count >= (SERVICE_DEFAULTS.min_members or 0)]
        self._gem_members = int(np.median(known)) if known else None

    def continues(self, user_id: str, *, k: int, adult: bool = False) -> list[NextSeason]:
        """Return sequels of titles the user completed, best rated and latest stories first."""
        known = history.from_state(self._states.get(user_id) or UserState(user_id=user_id))
        hidden = set(known.anime_ids[known.hidden].tolist())
        given_up = set(known.unfinished.tolist())
        today = self._clock.now().date()
        found: dict[int, tuple[float, int, NextSeason]] = {}
        rated = zip(known.anime_ids.tolist(), np.nan_to_num(known.ratings, nan=_UNRATED).tolist(), strict=True)
        for place, (anime_id, rating) in enumerate(rated):
            before = self._catalogue.find(anime_id)
            if before is None or anime_id in given_up or rating < _DISLIKED:
                continue
            for sequel in before.sequels:
                entry = self._catalogue.find(sequel)
                if entry is None or sequel in hidden or not _is_out(entry, today.toordinal()):
                    continue
                if entry.adult and not adult:
                    continue
                found[sequel] = max(
                    found.get(sequel, (0.0, 0, NextSeason(sequel, anime_id))),
                    (rating, place, NextSeason(sequel, anime_id)),
                    key=lambda one: one[:2],
                )
        ordered = sorted(found.values(), key=lambda one: (-one[0], -one[1], one[2].anime_id))
        return [one for _, _, one in ordered[:k]]

    def trending(self, *, k: int, filters: Filters = SERVICE_DEFAULTS) -> list[Trend]:
        """Return trending titles that the filters allow; the shelf is filled up with popular ones."""
        heat = trends(self._trending.heat())
        ordered = sorted(self._allowed(filters), key=lambda anime_id: -heat.get(anime_id, 0.0))
        return [Trend(anime_id, heat.get(anime_id, 0.0)) for anime_id in self._one_each(ordered, filters)[:k]]

    def season(
        self, *, k: int, year: int | None = None, season: Season | None = None, filters: Filters = SERVICE_DEFAULTS
    ) -> tuple[int, Season, list[int]]:
        """Return titles that began in a season (default: the current one), most popular first. → year, season, ids"""
        this_year, this_season = season_of(self._clock.now().date())
        wanted = (year or this_year, season or this_season)
        fitting = [
            anime_id
            for anime_id in self._allowed(msgspec.structs.replace(filters, hide_sequels=False))
            if (day := self._catalogue.get(anime_id).released) is not None and season_of(day) == wanted
        ]
        return *wanted, self._one_each(fitting, filters)[:k]

    def calendar(self, *, k: int, filters: Filters = SERVICE_DEFAULTS) -> Calendar:
        """Return what is on now and what comes later, at most ``k`` of each.

        On are titles that began this season, then those that were airing when their source was read and may still be;
        each by members. Titles to come are ordered by day. They have few members, so the service's default lower bound
        is off for both.
        """
        today = self._clock.now().date()
        this_season = _place(*season_of(today))
        bound = None if filters.min_members == SERVICE_DEFAULTS.min_members else filters.min_members
        asked = msgspec.structs.replace(filters, min_members=bound, hide_sequels=False, one_per_franchise=False)
        on: list[tuple[bool, int, int]] = []
        later: list[tuple[int, int, int]] = []
        for anime_id in self._engine.popular_ids(k=len(self._engine.anime), filters=asked).tolist():
            anime = self._catalogue.get(anime_id)
            season = _season_place(anime)
            began = season if anime.released is None else _place(*season_of(anime.released))
            few = -(anime.members or 0)
            if anime.released is not None and anime.released > today:
                later.append((anime.released.toordinal(), few, anime_id))
            elif anime.released is None and season is not None and season > this_season:
                later.append((_first_day(season), few, anime_id))
            elif began == this_season and (anime.released is not None or anime.airing != "upcoming"):
                on.append((False, few, anime_id))
            elif anime.airing == "airing" and _may_be_on(anime, today):
                on.append((True, few, anime_id))
        return Calendar(today, [one[2] for one in sorted(on)[:k]], [one[2] for one in sorted(later)[:k]])

    def hidden_gems(self, request: ListRequest) -> ListRequest:
        """Return the request for less popular titles, below the median of members.

        ``max_members`` and ``niche`` of the request override it.
        """
        filters = request.filters
        few = msgspec.structs.replace(
            filters, max_members=filters.max_members or self._gem_members, niche=filters.niche or _GEM_NICHE
        )
        return msgspec.structs.replace(request, filters=few)

    def new(self, user_id: str, *, k: int, filters: Filters = SERVICE_DEFAULTS) -> list[int]:
        """Return anime without ratings in the training data, ranked for the user; empty without a model for them.

        A new title has few members, so the service's default lower bound is off. Many members mean that the data are
        older than the title or lack it, so there is an upper bound.
        """
        if not isinstance(self._engine, NewAnime):
            return []
        bound = None if filters.min_members == SERVICE_DEFAULTS.min_members else filters.min_members
        asked = msgspec.structs.replace(filters, min_members=bound, released_by=self._clock.now().date())
        known = history.from_state(self._states.get(user_id) or UserState(user_id=user_id))
        if filters.max_members is not None:
            return [anime_id for anime_id, _ in self._engine.new_ids(known, k=k, filters=asked)]
        # not by a filter: that would also leave out titles whose members are not known
        found = self._engine.new_ids(known, k=len(self._engine.anime), filters=asked)
        few = (one for one, _ in found if (self._catalogue.get(one).members or 0) <= _NEW_MEMBERS)
        return list(islice(few, k))

    def _allowed(self, filters: Filters) -> list[int]:
        """Return the ids that the filters allow, most popular first."""
        asked = msgspec.structs.replace(filters, one_per_franchise=False, released_by=self._clock.now().date())
        ids: list[int] = self._engine.popular_ids(k=len(self._engine.anime), filters=asked).tolist()
        return ids

    def _one_each(self, ids: list[int], filters: Filters) -> list[int]:
        """Keep the first title of each franchise, if the filters ask for it."""
        if not filters.one_per_franchise:
            return ids
        first: dict[str, int] = {}
        for anime_id in ids:
            first.setdefault(self._catalogue.get(anime_id).franchise or f"self:{anime_id}", anime_id)
        return list(first.values())


def _is_out(entry: Anime, today: int) -> bool:
    return entry.released is None or entry.released.toordinal() <= today


def _place(year: int, season: Season) -> int:
    """Return the number of a season, counted from the year 0."""
    return 4 * year + SEASONS.index(season)


def _season_place(entry: Anime) -> int | None:
    """Return the number of the season in which an anime begins by its source; None if there is none."""
    if entry.season is None:
        return None
    year, _, name = entry.season.partition("-")
    return 4 * int(year) + SEASONS.index(name) if year.isdecimal() and name in SEASONS else None


def _first_day(season: int) -> int:
    """Return the first day of a season as a proleptic ordinal."""
    return date(season // 4, 3 * (season % 4) + 1, 1).toordinal()


def _may_be_on(entry: Anime, today: date) -> bool:
    """Return false for an anime whose episodes, one a week, ended more than ``_LATE`` ago."""
    if entry.released is None or entry.episodes is None:
        return True
    return entry.released + timedelta(weeks=entry.episodes) + _LATE >= today
