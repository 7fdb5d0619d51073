"""Routes of a user's taste: statistics for plots, and favourites of similar users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from litestar import get
from msgspec import Meta

from gars.application.catalogue.catalogue import Catalogue
from gars.bootstrap import Service
from gars.domain.anime import Anime
from gars.domain.history import LIKED_ABOVE
from gars.domain.user_state import Opinion, Register, UserState
from gars.entrypoints.api.cards import card
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import K, ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.shapes import AnimeCard
from gars.entrypoints.api.workers import run_in_worker

Share = Annotated[float, Meta(ge=0, le=1)]


class TasteShare(msgspec.Struct, frozen=True, kw_only=True):
    """One genre, tag, studio or decade: how many of the user's titles have it, and how many of those they like.

    ``share`` is of the user's titles, ``others`` of what all viewers watch.
    """

    name: str
    titles: int
    liked: int
    share: Share
    others: Share


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """A title whose rating by the user differs from its mean score."""

    anime: AnimeCard
    rating: int
    score: float


class TasteReport(msgspec.Struct, frozen=True, kw_only=True):
    """A user's taste. ``ratings`` counts ratings from 1 to 10; ``severity`` is their mean difference from scores."""

    user_id: str
    version: int
    titles: int
    ratings: Annotated[list[int], Meta(min_length=10, max_length=10)]
    severity: float | None
    genres: list[TasteShare]
    tags: list[TasteShare]
    studios: list[TasteShare]
    decades: list[TasteShare]
    contrasts: list[Contrast]


class LovedEntry(msgspec.Struct, frozen=True):
    """Favourites of a similar user that this user has no opinion of, best first."""

    user_id: str
    loved: list[AnimeCard]


class LovedBody(msgspec.Struct, frozen=True):
    """The most similar users, most similar first."""

    user_id: str
    items: list[LovedEntry]


_MOST = 12
"""Maximum number of shares of each kind."""
_CONTRASTS = 6
_LOVED = 6
_LOVED_FROM = 9
"""The lowest rating of a favourite."""

Held = tuple[Anime, Opinion]
Kind = Literal["genres", "tags", "studios", "decades"]


def _decade(anime: Anime) -> Sequence[str]:
    return () if anime.year is None else (str(anime.year // 10 * 10),)


_OF: dict[Kind, Callable[[Anime], Sequence[str]]] = {
    "genres": lambda anime: anime.genres,
    "tags": lambda anime: anime.tags,
    "studios": lambda anime: anime.studios,
    "decades": _decade,
}


@get("/users/{user_id:str}/taste", summary="What a user likes, in numbers", responses=errors(400, 503), tags=["users"])
async def get_taste(service: ServiceDep, user_id: UserId) -> TasteReport:
    """Shares of genres, tags, studios and decades compared with all viewers; ratings compared with mean scores."""
    return await run_in_worker(service, _taste, service, checked_user_id(user_id))


@get(
    "/users/{user_id:str}/similar-users/loved",
    summary="What users with the same taste love",
    responses=errors(400, 503),
    tags=["users"],
)
async def get_loved(service: ServiceDep, user_id: UserId, k: K = 10) -> LovedBody:
    """For each of the most similar users, titles rated 9 or 10 that this user has no opinion of."""
    user_id = checked_user_id(user_id)
    return LovedBody(user_id, await run_in_worker(service, _loved, service, user_id, k))


def _taste(service: Service, user_id: str) -> TasteReport:
    state = service.states.get(user_id) or UserState(user_id=user_id)
    held = _held(state, service.catalogue)
    rated = [(anime, rating) for anime, opinion in held if (rating := _rating(opinion)) is not None]
    scored = [(anime, rating, anime.score) for anime, rating in rated if anime.score is not None]
    counts = Counter(rating for _, rating in rated)
    apart = sorted(scored, key=lambda one: (-abs(one[1] - one[2]), one[0].anime_id))[:_CONTRASTS]
    crowd = _crowd(service.catalogue)
    return TasteReport(
        user_id=user_id,
        version=state.version,
        titles=len(held),
        ratings=[counts[rating] for rating in range(1, 11)],
        severity=sum(rating - score for _, rating, score in scored) / len(scored) if scored else None,
        genres=_shares(held, "genres", crowd["genres"]),
        tags=_shares(held, "tags", crowd["tags"]),
        studios=_shares(held, "studios", crowd["studios"]),
        decades=sorted(_shares(held, "decades", crowd["decades"], most=None), key=lambda share: share.name),
        contrasts=[Contrast(anime=card(anime), rating=rating, score=score) for anime, rating, score in apart],
    )


def _shares(
    held: Sequence[Held], kind: Kind, others: Mapping[str, float], most: int | None = _MOST
) -> list[TasteShare]:
    """Return the most common values among a user's titles, with their shares."""
    titles, liked = Counter[str](), Counter[str]()
    for anime, opinion in held:
        titles.update(_OF[kind](anime))
        if _is_liked(opinion):
            liked.update(_OF[kind](anime))
    ranked = sorted(titles, key=lambda name: (-titles[name], name))[:most]
    return [
        TasteShare(
            name=name,
            titles=titles[name],
            liked=liked[name],
            share=titles[name] / len(held),
            others=others.get(name, 0.0),
        )
        for name in ranked
    ]


@lru_cache(maxsize=2)
def _crowd(catalogue: Catalogue) -> dict[Kind, dict[str, float]]:
    """Return shares over the catalogue, each title weighted by its members."""
    members: dict[Kind, Counter[str]] = {kind: Counter() for kind in _OF}
    total = 0
    for anime in catalogue.anime:
        weight = anime.members or 0
        total += weight
        for kind, of in _OF.items():
            for name in of(anime):
                members[kind][name] += weight
    return {kind: {name: count / (total or 1) for name, count in counts.items()} for kind, counts in members.items()}


def _loved(service: Service, user_id: str, k: int) -> list[LovedEntry]:
    state = service.states.get(user_id) or UserState(user_id=user_id)
    known = {anime_id for anime_id, opinion in state.opinions.items() if not opinion.is_empty}
    entries = []
    for other in service.similar_users(user_id, k=k):
        theirs = service.states.get(other.user_id) or UserState(user_id=other.user_id)
        loved = [
            (rating, anime)
            for anime, opinion in _held(theirs, service.catalogue)
            if (rating := _rating(opinion)) is not None
            and rating >= _LOVED_FROM
            and anime.anime_id not in known
            and not anime.adult
        ]
        loved.sort(key=lambda one: (-one[0], -(one[1].members or 0), one[1].anime_id))
        entries.append(LovedEntry(other.user_id, [card(anime) for _, anime in loved[:_LOVED]]))
    return entries


def _held(state: UserState, catalogue: Catalogue) -> list[Held]:
    """Return watched or rated titles; planned and dismissed ones are left out."""
    return [
        (anime, opinion)
        for anime_id, opinion in state.opinions.items()
        if (anime := catalogue.find(anime_id)) is not None and _is_watched(opinion)
    ]


def _is_watched(opinion: Opinion) -> bool:
    status = opinion.status.value if opinion.status is not None else None
    facts = (opinion.rating, opinion.reaction, opinion.seen)
    return any(_value(register) is not None for register in facts) or status not in (None, "planned")


def _is_liked(opinion: Opinion) -> bool:
    return (_rating(opinion) or 0) > LIKED_ABOVE or _value(opinion.reaction) == 1


def _rating(opinion: Opinion) -> int | None:
    value = _value(opinion.rating)
    return None if value is None else int(value)


def _value(register: Register | None) -> int | str | None:
    return None if register is None else register.value
