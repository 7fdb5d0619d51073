"""Anime of the current and the next season: read AniList's answers, add them to a catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import msgspec
import polars as pl

from gars.datasets.catalogue.synopsis import plain_text
from gars.datasets.catalogue.vocabulary import ANILIST_AIRING, ANILIST_TYPES, colour_of, genres_of, trailer_address
from gars.datasets.schema import CATALOGUE, LISTS, conform_catalogue
from gars.domain.errors import DataError

_LEAST_RANK = 60
"""Tags whose votes (per cent) are below this are ignored: they describe the anime poorly."""
_MOVING = ("airing",)
"""Columns where a newer answer replaces the value of any older source."""
_NEVER_FILLED = frozenset({"anime_id", "title", "adult", "franchise", "prequels", "sequels", "related"})


class _Names(msgspec.Struct):
    romaji: str | None = None
    english: str | None = None
    native: str | None = None


class _Day(msgspec.Struct):
    year: int | None = None
    month: int | None = None
    day: int | None = None


class _Named(msgspec.Struct):
    name: str
    rank: int | None = None


class _Studios(msgspec.Struct):
    nodes: list[_Named] = []


class _Cover(msgspec.Struct):
    large: str | None = None
    color: str | None = None


class _Trailer(msgspec.Struct):
    id: str | None = None
    site: str | None = None


class _Media(msgspec.Struct, rename="camel"):
    id: int
    title: _Names
    start_date: _Day
    id_mal: int | None = None
    synonyms: list[str] = []
    country_of_origin: str | None = None
    format: str | None = None
    status: str | None = None
    episodes: int | None = None
    duration: int | None = None
    season: str | None = None
    season_year: int | None = None
    genres: list[str] = []
    tags: list[_Named] = []
    source: str | None = None
    is_adult: bool | None = None
    studios: _Studios = msgspec.field(default_factory=_Studios)
    description: str | None = None
    cover_image: _Cover = msgspec.field(default_factory=_Cover)
    trailer: _Trailer | None = None


class _Page(msgspec.Struct):
    media: list[_Media]


class _Data(msgspec.Struct):
    page: _Page = msgspec.field(name="Page")


class _Answer(msgspec.Struct):
    data: _Data


class AiringAnime(NamedTuple):
    """Anime read from AniList's answers."""

    titles: pl.DataFrame
    """Columns of ``schema.CATALOGUE``, one row per MyAnimeList id."""
    without_id: int
    """Anime left out because AniList gives no MyAnimeList id."""


class Added(NamedTuple):
    """A catalogue with the anime of the season."""

    catalogue: pl.DataFrame
    new: int
    changed: int
    """Anime already in the catalogue whose airing status changed."""


def read_airing(answers: Iterable[bytes]) -> AiringAnime:
    """Read answers of ``AniListSeasons``; of an anime in several, the last counts. Raises ``DataError``."""
    rows: dict[int, dict[str, Any]] = {}
    unknown: set[int] = set()
    for body in answers:
        try:
            media = msgspec.json.decode(body, type=_Answer).data.page.media
        except msgspec.DecodeError as error:
            raise DataError(
                f"an answer of AniList is not a page of anime: {error}", hint="try again later; nothing was changed"
            ) from error
        for one in media:
            row = _row(one)
            if row["anime_id"] is None or row["title"] is None:
                unknown.add(one.id)
            else:
                rows[row["anime_id"]] = row
    schema = {name: kind for name, kind in CATALOGUE.items() if not rows or name in next(iter(rows.values()))}
    return AiringAnime(conform_catalogue(pl.DataFrame(list(rows.values()), schema)), len(unknown))


def add_airing(catalogue: pl.DataFrame, titles: pl.DataFrame) -> Added:
    """Add the anime of ``titles`` that ``catalogue`` lacks; both have the columns of ``schema.CATALOGUE``.

    Of anime that are known, gaps are filled and the status of airing is taken over; everything else stays.
    """
    joined = catalogue.join(titles, on="anime_id", how="left", suffix="_new", maintain_order="left")
    filled = [_filled(name) for name in CATALOGUE if name not in _NEVER_FILLED]
    known = joined.with_columns(filled).select(*CATALOGUE)
    new = titles.join(catalogue, on="anime_id", how="anti")
    changed = (known["airing"].fill_null("") != catalogue["airing"].fill_null("")).sum()
    return Added(conform_catalogue(pl.concat([known, new])), new.height, int(changed))


def _filled(name: str) -> pl.Expr:
    mine, new = pl.col(name), pl.col(f"{name}_new")
    if name in LISTS:
        return pl.when(mine.list.len() > 0).then(mine).otherwise(new.fill_null([])).alias(name)
    return pl.coalesce(new, mine).alias(name) if name in _MOVING else pl.coalesce(mine, new).alias(name)


def _row(media: _Media) -> dict[str, Any]:
    start = media.start_date
    whole = start.year and start.month and start.day
    chinese = media.country_of_origin in ("CN", "TW", "HK")
    native = (media.title.native or "").strip() or None
    romaji = (media.title.romaji or "").strip() or None
    english = (media.title.english or "").strip() or None
    return {
        "anime_id": media.id_mal,
        "title": romaji or english or native,
        "title_english": english,
        "title_japanese": None if chinese else native,
        "title_chinese": native if chinese else None,
        "synonyms": media.synonyms,
        "type": ANILIST_TYPES.get(media.format or ""),
        "episodes": media.episodes or None,
        "genres": genres_of(media.genres),
        "tags": [tag.name for tag in media.tags if (tag.rank or 0) >= _LEAST_RANK],
        "studios": [studio.name for studio in media.studios.nodes],
        "source": media.source.replace("_", " ").capitalize() if media.source not in (None, "OTHER") else None,
        "released": date(start.year, start.month, start.day) if whole else None,  # type: ignore[arg-type]
        "year": start.year or media.season_year,
        "season": f"{media.season_year}-{media.season.lower()}" if media.season and media.season_year else None,
        "airing": ANILIST_AIRING.get(media.status or ""),
        "duration_min": media.duration or None,
        "image": media.cover_image.large,
        "cover_colour": colour_of(media.cover_image.color),
        "synopsis": plain_text(media.description),
        "trailer": trailer_address(media.trailer.site, media.trailer.id) if media.trailer else None,
        "adult": True if media.is_adult else None,
        "anilist_id": media.id,
    }
