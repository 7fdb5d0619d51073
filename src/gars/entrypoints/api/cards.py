"""Convert domain objects to JSON types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
from msgspec import UNSET

from gars.application.catalogue.catalogue import Catalogue
from gars.application.recommend.ask import Asked
from gars.application.recommend.engine import Recommendation
from gars.application.recommend.paging import Page
from gars.domain.anime import Anime
from gars.domain.user_state import Opinion, Register, UserState
from gars.entrypoints.api.shapes import (
    AnimeCard,
    AnimeDetail,
    AskedBody,
    Explanation,
    FranchiseEntry,
    HistoryEntry,
    Links,
    Match,
    ReasonBody,
    RecommendationBody,
    RecommendationsBody,
    StreamingLink,
    UserSummary,
)

_RECENT = 5
_GRADES: tuple[tuple[Match, float], ...] = (("best", 0.6), ("great", 0.3), ("good", 0.1))
"""The minimum odds of each grade, relative to the first title (decision 171)."""
_written: WeakKeyDictionary[Catalogue, dict[int, AnimeCard]] = WeakKeyDictionary()
"""JSON of cards by anime id, encoded on first use: the same titles are in many lists."""


def card(anime: Anime) -> AnimeCard:
    """Convert an anime to the form in which lists show it."""
    return AnimeCard(
        anime_id=anime.anime_id,
        title=anime.title,
        title_english=anime.title_english,
        title_japanese=anime.title_japanese,
        title_chinese=anime.title_chinese,
        type=anime.type,
        episodes=anime.episodes,
        year=anime.year,
        score=anime.score,
        members=anime.members,
        genres=list(anime.genres),
        image=anime.image,
        adult=anime.adult,
        cover_colour=anime.cover_colour or UNSET,
    )


def detail(anime: Anime, catalogue: Catalogue) -> AnimeDetail:
    """Convert an anime with all its fields; the franchise is empty if it has no other members."""
    franchise = catalogue.franchise_of(anime.anime_id)
    return AnimeDetail(
        **_fields(card(anime)),
        synonyms=list(anime.synonyms),
        tags=list(anime.tags),
        studios=list(anime.studios),
        source=anime.source,
        released=anime.released,
        season=anime.season,
        airing=anime.airing,
        duration_min=anime.duration_min,
        synopsis=anime.synopsis,
        trailer=anime.trailer,
        members_at=anime.members_at,
        links=_links(anime),
        streaming=[StreamingLink(where.site, where.url) for where in anime.streaming],
        franchise=[FranchiseEntry(**_fields(card(entry)), relation=relation) for entry, relation in franchise]
        if len(franchise) > 1
        else [],
    )


def _fields(shown: AnimeCard) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in AnimeCard.__struct_fields__}


def _links(anime: Anime) -> Links:
    return Links(
        myanimelist=f"https://myanimelist.net/anime/{anime.anime_id}",
        anilist=f"https://anilist.co/anime/{anime.anilist_id}" if anime.anilist_id is not None else None,
        anidb=f"https://anidb.net/anime/{anime.anidb_id}" if anime.anidb_id is not None else None,
        tmdb=f"https://www.themoviedb.org/{anime.tmdb_id}" if anime.tmdb_id is not None else None,
    )


def recommendations(
    page: Page,
    catalogue: Catalogue,
    *,
    feature_names: tuple[str, ...] | None = None,
    asked: Asked | None = None,
) -> RecommendationsBody:
    """Convert a page of a user's list. With ``feature_names`` each item includes its explanation."""
    made, written = page.made, _written.setdefault(catalogue, {})
    matched: Sequence[Match | None] = [None] * len(made.items)
    if page.is_first and not made.cold and made.fallback is None:
        matched = matches([item.score for item in made.items])
    return RecommendationsBody(
        user_id=made.user_id,
        version=made.version,
        model_version=made.model_version,
        request_id=made.request_id or "",
        cold=made.cold,
        fallback=made.fallback,
        items=[
            _recommendation(item, match, _card(item.anime_id, catalogue, written), feature_names)
            for item, match in zip(made.items, matched, strict=True)
        ],
        next=page.next,
        changed=list(page.changed),
        asked=UNSET if asked is None else AskedBody(asked.text, asked.parts, asked.unread),
    )


def matches(scores: Sequence[float]) -> list[Match]:
    """Grade the items of a list by their scores, best first.

    Scores are log-odds up to a constant, so ``exp(score - best)`` is the odds that a title is watched next, relative to
    the first. Rules such as diversity may put a title above one of a higher score. Grades follow the displayed order:
    the n-th item gets the grade of the n-th highest score.
    """
    ordered = sorted(scores, reverse=True)
    odds = [math.exp(score - ordered[0]) for score in ordered]
    return [next((grade for grade, least in _GRADES if share >= least), "fair") for share in odds]


def _explanation(item: Recommendation, feature_names: tuple[str, ...]) -> Explanation:
    row = np.frombuffer(item.features, np.float32).tolist()
    return Explanation(dict(item.terms), dict(zip(feature_names, row, strict=False)))


def _card(anime_id: int, catalogue: Catalogue, written: dict[int, AnimeCard]) -> AnimeCard:
    found = written.get(anime_id)
    if found is None:
        found = cast(AnimeCard, msgspec.Raw(msgspec.json.encode(card(catalogue.get(anime_id)))))
        written[anime_id] = found
    return found


def _recommendation(
    item: Recommendation, match: Match | None, anime: AnimeCard, feature_names: tuple[str, ...] | None
) -> RecommendationBody:
    return RecommendationBody(
        anime=anime,
        score=item.score,
        match=match,
        p_like=item.p_like,
        channels=item.channels,
        # already encoded where possible: a list has a hundred reasons
        reasons=cast(Sequence[ReasonBody], msgspec.Raw(item.reasons_json) if item.reasons_json else item.reasons),
        explanation=UNSET if feature_names is None else _explanation(item, feature_names),
    )


def summary(user_id: str, state: UserState | None, catalogue: Catalogue) -> UserSummary:
    """Summarise a user's state; all counts are zero for an unknown user."""
    held = state or UserState(user_id=user_id)
    recent = (catalogue.find(anime_id) for anime_id in _latest_first(held))
    shown: list[AnimeCard] = []
    for anime in recent:
        if anime is not None and len(shown) < _RECENT:
            shown.append(card(anime))
    return UserSummary(
        user_id=user_id,
        known=state is not None,
        version=held.version,
        titles=sum(not opinion.is_empty for opinion in held.opinions.values()),
        ratings=held.rating_count,
        rating_mean=held.rating_mean,
        clicks=len(held.clicks),
        recent=shown,
    )


def history_entries(state: UserState, catalogue: Catalogue, limit: int) -> list[HistoryEntry]:
    """List the user's opinions, latest first, without anime that are no longer in the catalogue."""
    clicked = {click.anime_id for click in state.clicks}
    entries: list[HistoryEntry] = []
    for anime_id in _latest_first(state):
        anime = catalogue.find(anime_id)
        if anime is None:
            continue
        opinion = state.opinions.get(anime_id, Opinion())
        status = _value(opinion.status)
        entries.append(
            HistoryEntry(
                anime=card(anime),
                rating=_number(opinion.rating),
                status=None if status is None else str(status),
                reaction=_number(opinion.reaction),
                seen=_value(opinion.seen) is not None,
                clicked=anime_id in clicked,
                dismissed=_value(opinion.dismissed) is not None,
            )
        )
        if len(entries) == limit:
            break
    return entries


def _latest_first(state: UserState) -> list[int]:
    """Return all anime with an opinion or a recent click, by the newest time of its registers and clicks."""
    latest: dict[int, tuple[int, int]] = {}
    for anime_id, opinion in state.opinions.items():
        if not opinion.is_empty:
            latest[anime_id] = max(
                (register.stamp.time_ms, register.stamp.tie)
                for name in opinion.__struct_fields__
                if (register := getattr(opinion, name)) is not None
            )
    for click in state.clicks:
        stamp = (click.stamp.time_ms, click.stamp.tie)
        latest[click.anime_id] = max(stamp, latest.get(click.anime_id, stamp))
    return sorted(latest, key=lambda anime_id: (latest[anime_id], anime_id), reverse=True)


def _value(register: Register | None) -> int | str | None:
    return register.value if register is not None else None


def _number(register: Register | None) -> int | None:
    value = _value(register)
    return int(value) if value is not None else None
