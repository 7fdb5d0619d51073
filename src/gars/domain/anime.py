"""The anime as people see it."""

from __future__ import annotations

import re
from datetime import date

import msgspec

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def is_colour(text: str) -> bool:
    """Return true for a colour of six hexadecimal digits, such as ``#e45093``."""
    return _COLOUR.fullmatch(text) is not None


class Streaming(msgspec.Struct, frozen=True):
    """Where an anime can be watched."""

    site: str
    url: str | None = None
    """``None`` where only the name of the site is known."""


class Anime(msgspec.Struct, frozen=True, kw_only=True):
    """One catalogue entry. What is not known is ``None`` or empty, never 0."""

    anime_id: int
    title: str
    title_english: str | None = None
    title_japanese: str | None = None
    title_chinese: str | None = None
    synonyms: tuple[str, ...] = ()
    type: str | None = None
    episodes: int | None = None
    score: float | None = None
    members: int | None = None
    members_at: date | None = None
    """The day they were counted."""
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    studios: tuple[str, ...] = ()
    source: str | None = None
    released: date | None = None
    year: int | None = None
    season: str | None = None
    """Year and quarter, such as ``2026-fall``, as the source has it."""
    airing: str | None = None
    """``finished``, ``airing`` or ``upcoming`` when its source was read."""
    duration_min: int | None = None
    image: str | None = None
    cover_colour: str | None = None
    """Main colour of the cover image, such as ``#e45093``."""
    synopsis: str | None = None
    trailer: str | None = None
    """Address of a video."""
    adult: bool = False
    anilist_id: int | None = None
    anidb_id: int | None = None
    tmdb_id: str | None = None
    tvdb_id: int | None = None
    streaming: tuple[Streaming, ...] = ()
    franchise: str = ""
    prequels: tuple[int, ...] = ()
    sequels: tuple[int, ...] = ()
    related: tuple[int, ...] = ()
    recommended: tuple[int, ...] = ()
    """Anime that users of a site recommend to those who liked this one, the most recommended first."""

    @property
    def titles(self) -> tuple[str, ...]:
        """Every name it goes by, the main one first."""
        named = (self.title, self.title_english, self.title_japanese, self.title_chinese, *self.synonyms)
        return tuple(dict.fromkeys(name for name in named if name))


_LABELS = "type", "genres", "tags", "studios", "source", "season", "airing", "streaming"


def with_shared_labels(anime: list[Anime]) -> list[Anime]:
    """Return the same anime with equal labels as one object each: decoding makes new ones for every anime."""
    known: dict[object, object] = {}
    for one in anime:
        for name in _LABELS:
            value = getattr(one, name)
            if isinstance(value, tuple) and value not in known:
                known[value] = tuple(known.setdefault(label, label) for label in value)
            msgspec.structs.force_setattr(one, name, known.setdefault(value, value))
    return anime
