"""Answers of the Jikan API, version 4: the same fields as JSON, from an API that is open to programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gars.datasets.crawled import CrawledAnime, Relation
from gars.spider.pages.words import PageError, clean, unique


class _Named(msgspec.Struct):
    name: str
    mal_id: int = 0
    type: str = ""


class _Aired(msgspec.Struct):
    string: str | None = None


class _Broadcast(msgspec.Struct):
    string: str | None = None


class _Related(msgspec.Struct):
    relation: str
    entry: list[_Named] = []


class _Anime(msgspec.Struct):
    mal_id: int
    title: str
    url: str | None = None
    images: dict[str, dict[str, str | None]] = {}
    title_english: str | None = None
    title_japanese: str | None = None
    title_synonyms: list[str] = []
    type: str | None = None
    source: str | None = None
    episodes: int | None = None
    status: str | None = None
    aired: _Aired = msgspec.field(default_factory=_Aired)
    duration: str | None = None
    rating: str | None = None
    score: float | None = None
    scored_by: int | None = None
    rank: int | None = None
    popularity: int | None = None
    members: int | None = None
    favorites: int | None = None
    synopsis: str | None = None
    season: str | None = None
    year: int | None = None
    broadcast: _Broadcast = msgspec.field(default_factory=_Broadcast)
    producers: list[_Named] = []
    licensors: list[_Named] = []
    studios: list[_Named] = []
    genres: list[_Named] = []
    explicit_genres: list[_Named] = []
    themes: list[_Named] = []
    demographics: list[_Named] = []
    relations: list[_Related] = []


class _Answer(msgspec.Struct):
    data: _Anime


def anime(body: bytes, url: str, seen_at: datetime) -> CrawledAnime:
    """Read the answer of ``/anime/{id}/full``. Raises ``PageError`` when it is something else."""
    try:
        found = msgspec.json.decode(body, type=_Answer).data
    except msgspec.DecodeError as error:
        raise PageError(f"{url}: is not an anime: {error}", hint=_VERSION) from error
    return CrawledAnime(
        anime_id=found.mal_id,
        title=found.title,
        title_english=clean(found.title_english),
        title_japanese=clean(found.title_japanese),
        synonyms=unique(found.title_synonyms),
        type=clean(found.type),
        episodes=found.episodes or None,
        status=clean(found.status),
        aired=clean(found.aired.string),
        premiered=f"{found.season.capitalize()} {found.year}" if found.season and found.year else None,
        broadcast=clean(found.broadcast.string),
        producers=_names(found.producers),
        licensors=_names(found.licensors),
        studios=_names(found.studios),
        source=clean(found.source),
        genres=_names([*found.genres, *found.explicit_genres]),
        themes=_names(found.themes),
        demographics=_names(found.demographics),
        duration=clean(found.duration),
        rating=clean(found.rating),
        score=found.score or None,
        scored_by=found.scored_by or None,
        rank=found.rank or None,
        popularity=found.popularity or None,
        members=found.members or None,
        favorites=found.favorites or None,
        synopsis=(found.synopsis or "").strip() or None,
        image=found.images.get("jpg", {}).get("image_url"),
        url=found.url,
        relations=tuple(
            Relation(kind.relation, entry.type, entry.mal_id, entry.name)
            for kind in found.relations
            for entry in kind.entry
        ),
        crawled_at=seen_at,
    )


def listed(body: bytes, url: str) -> tuple[tuple[int, ...], bool]:
    """Read one page of ``/anime`` or ``/top/anime``: the ids on it, and whether another follows."""
    try:
        page: dict[str, Any] = msgspec.json.decode(body)
        ids = tuple(int(entry["mal_id"]) for entry in page["data"])
        return ids, bool(page["pagination"]["has_next_page"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise PageError(f"{url}: is not a page of anime: {error!r}", hint=_VERSION) from error


def _names(named: list[_Named]) -> tuple[str, ...]:
    return unique(one.name for one in named)


_VERSION = "this reads version 4 of the API: check GARS_SPIDER_API"
