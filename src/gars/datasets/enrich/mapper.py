"""Titles, texts, posters and typed relations from the Anime Mapper: a JSON file a title, in a folder or a tar file."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from gars.datasets.catalogue.synopsis import plain_text
from gars.datasets.catalogue.vocabulary import genres_of, is_listed, tags_of
from gars.datasets.schema import CATALOGUE
from gars.domain.errors import DataError

_TYPES = {
    "TV": "TV",
    "TV_SHORT": "TV",
    "Movie": "Movie",
    "MOVIE": "Movie",
    "OVA": "OVA",
    "ONA": "ONA",
    "Special": "Special",
    "SPECIAL": "Special",
    "TV Special": "Special",
    "Music": "Music",
    "MUSIC": "Music",
    "PV": "PV",
    "CM": "CM",
}
_AIRING = {
    "Finished Airing": "finished",
    "finished": "finished",
    "Currently Airing": "airing",
    "current": "airing",
    "Not yet aired": "upcoming",
    "upcoming": "upcoming",
}
_PLACEHOLDER = "/img/sp/icon/"
"""Folder of MyAnimeList's own icon, which stands in the source where a title has no poster."""
_LARGEST = 8 << 20
"""Bytes of one title's file; the largest there is has 1.5 MB."""
_KEPT = (
    *("anime_id", "title", "title_english", "title_japanese", "synonyms", "type", "episodes", "score", "genres"),
    *("tags", "studios", "source", "released", "year", "season", "airing", "duration_min", "image", "synopsis"),
    *("adult", "anilist_id", "anidb_id", "tmdb_id", "tvdb_id"),
)
RELATIONS: dict[str, pl.DataType] = {"anime_id": pl.Int64(), "other_id": pl.Int64(), "relation": pl.String()}
"""``other_id`` is the SEQUEL, PREQUEL, PARENT, SIDE_STORY, SUMMARY, ALTERNATIVE, SPIN_OFF, CHARACTER or OTHER of
``anime_id``."""


class _Title(msgspec.Struct):
    romaji: str | None = None
    english: str | None = None
    native: str | None = None
    synonyms: list[str] = []


class _Aired(msgspec.Struct):
    start: str | None = msgspec.field(name="from", default=None)


class _Score(msgspec.Struct, rename="camel"):
    mal_score: float | None = None
    anilist_score: float | None = None


class _Images(msgspec.Struct):
    poster: str | None = None


class _Mappings(msgspec.Struct, rename="camel"):
    anilist: int | None = None
    anidb: int | None = None
    tmdb: int | None = None
    tvdb: int | None = None
    trakt_type: str | None = None


class _Related(msgspec.Struct, rename="camel"):
    mal_id: int | None = None
    relation_type: str | None = None


class _Meta(msgspec.Struct, rename="camel"):
    sources_used: list[str] = []


class _Entry(msgspec.Struct, rename="camel"):
    id_mal: int
    title: _Title
    mappings: _Mappings
    type: str | None = None
    source: str | None = None
    status: str | None = None
    episode_count: int | None = None
    episode_length: int | None = None
    aired: _Aired | None = None
    season: str | None = None
    year: int | None = None
    rating: str | None = None
    score: _Score | None = None
    genres: list[str] = []
    studios: list[str] = []
    images: _Images | None = None
    synopsis: str | None = None
    sequence: list[_Related] | None = None
    meta: _Meta = msgspec.field(default_factory=_Meta)


@dataclass(frozen=True, slots=True, eq=False)
class MapperTitles:
    """Titles and relations read from the mapper."""

    mal: pl.DataFrame
    """Catalogue columns of the titles that it read from MyAnimeList."""
    elsewhere: pl.DataFrame
    """Catalogue columns of titles it read from AniList and Kitsu alone; the score is AniList's mean."""
    relations: pl.DataFrame
    """Columns of ``RELATIONS``."""
    dropped_words: dict[str, int]
    """Words among the genres that belong to neither vocabulary → how many titles have them."""


def read_mapper(path: Path) -> MapperTitles:
    """Read every title below a folder, or in a (compressed) tar file. Raises ``DataError``."""
    decoder = msgspec.json.Decoder(_Entry)
    mal: list[dict[str, Any]] = []
    elsewhere: list[dict[str, Any]] = []
    relations: list[tuple[int, int, str]] = []
    dropped: dict[str, int] = {}
    for name, content in _documents(path):
        try:
            entry = decoder.decode(content)
        except msgspec.DecodeError as error:
            raise DataError(
                f"{path}: {name} is not a title of the Anime Mapper: {error}", hint="gars data fetch anime-mapper-2026"
            ) from error
        row = _row(entry)
        if "jikan" in entry.meta.sources_used:
            mal.append(row)
            if row["score"] is None and (mean := _anilist_score(entry)) is not None:
                elsewhere.append({"anime_id": entry.id_mal, "score": mean})
        else:
            elsewhere.append(row | {"score": _anilist_score(entry)})
        relations += _relations(entry)
        for word in entry.genres:
            if not is_listed(word):
                dropped[word] = dropped.get(word, 0) + 1
    if not mal and not elsewhere:
        raise DataError(f"{path}: holds no titles of the Anime Mapper", hint="gars data fetch anime-mapper-2026")
    schema = {name: CATALOGUE[name] for name in _KEPT}
    return MapperTitles(
        pl.DataFrame(mal, schema).unique("anime_id", keep="first", maintain_order=True),
        pl.DataFrame(elsewhere, schema).unique("anime_id", keep="first", maintain_order=True),
        pl.DataFrame(relations, RELATIONS, orient="row").unique(maintain_order=True),
        dict(sorted(dropped.items(), key=lambda word: (-word[1], word[0]))),
    )


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each ``N.json``, by name, whatever the order on disk."""
    if path.is_dir():
        found = [Path(root) / name for root, _, names in os.walk(path) for name in names if _is_title(name)]
        for file in sorted(found, key=lambda one: int(one.stem)):
            yield file.name, file.read_bytes()
        return
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if not member.isfile() or not _is_title(name):
                    continue
                stream = archive.extractfile(member)
                if member.size > _LARGEST or stream is None:
                    raise DataError(
                        f"{path}: {member.name} has {member.size:,} bytes, more than a title can have",
                        hint="gars data fetch anime-mapper-2026",
                    )
                yield name, stream.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{path}: cannot be unpacked: {error}", hint="gars data fetch anime-mapper-2026") from error


def _is_title(name: str) -> bool:
    stem, dot, suffix = name.partition(".")
    return dot == "." and suffix == "json" and stem.isdecimal()


def _relations(entry: _Entry) -> Iterator[tuple[int, int, str]]:
    for other in entry.sequence or ():
        if other.mal_id and other.relation_type and other.mal_id != entry.id_mal:
            yield entry.id_mal, other.mal_id, other.relation_type


def _row(entry: _Entry) -> dict[str, Any]:
    title, ids = entry.title, entry.mappings
    released, year = _began(entry)
    return {
        "anime_id": entry.id_mal,
        "title": _text(title.romaji),
        "title_english": _text(title.english),
        "title_japanese": _text(title.native),
        "synonyms": title.synonyms,
        "type": _TYPES.get(entry.type or ""),
        "episodes": entry.episode_count or None,
        "score": (entry.score.mal_score or None) if entry.score else None,
        "genres": genres_of(entry.genres),
        "tags": tags_of(entry.genres),
        "studios": entry.studios,
        "source": entry.source if entry.source not in ("Unknown", "Other") else None,
        "released": released,
        "year": year,
        "season": f"{entry.year}-{entry.season}" if entry.season and entry.year else None,
        "airing": _AIRING.get(entry.status or ""),
        "duration_min": entry.episode_length or None,
        "image": _poster(entry),
        "synopsis": plain_text(entry.synopsis),
        "adult": True if entry.rating and entry.rating.startswith("Rx") else None,
        "anilist_id": ids.anilist,
        "anidb_id": ids.anidb,
        "tmdb_id": _tmdb(ids),
        "tvdb_id": ids.tvdb,
    }


def _poster(entry: _Entry) -> str | None:
    poster = entry.images.poster if entry.images else None
    return poster if poster and _PLACEHOLDER not in poster else None


def _began(entry: _Entry) -> tuple[date | None, int | None]:
    """Return first day and year. 1 January without a season means that only the year is known."""
    start = entry.aired.start if entry.aired else None
    if not start:
        return None, entry.year
    day = date.fromisoformat(start[:10])
    yearly = (day.month, day.day) == (1, 1) and entry.season is None
    return (None if yearly else day), day.year


def _tmdb(ids: _Mappings) -> str | None:
    kind = {"shows": "tv", "movies": "movie"}.get(ids.trakt_type or "")
    return f"{kind}/{ids.tmdb}" if kind and ids.tmdb else None


def _anilist_score(entry: _Entry) -> float | None:
    return (entry.score.anilist_score or None) if entry.score else None


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None
