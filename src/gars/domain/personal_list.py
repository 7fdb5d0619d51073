"""A person's own list as another site wrote it down: what they watched, how far they got, what they thought of it."""

from __future__ import annotations

from dataclasses import dataclass

from gars.domain.interaction import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One title of a list. A value missing in the file is ``None``; at least one id is set."""

    anime_id: int | None = None
    """MyAnimeList id: the key everything is joined by."""
    anilist_id: int | None = None
    title: str | None = None
    """Only to name the title in a report; titles are never matched by name."""
    status: Status | None = None
    rating: int | None = None
    """1–10."""
    updated_ms: int | None = None
    """Time of the last change: an entry older than the stored one changes nothing."""
    watched_ms: int | None = None
    """Time of finishing or starting: orders a history, but does not date the entry."""

    @property
    def name(self) -> str:
        """Name for reports."""
        known = self.title or (f"anime {self.anime_id}" if self.anime_id is not None else None)
        return known or f"AniList {self.anilist_id}"


@dataclass(frozen=True, slots=True)
class SkippedEntry:
    """An entry that could not be read, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalList:
    """A list as it was read."""

    source: str
    """Kind of the file, for people."""
    entries: tuple[ListEntry, ...]
    """In the order of the file; a title may be there more than once."""
    skipped: tuple[SkippedEntry, ...] = ()
    notes: tuple[str, ...] = ()
    """Notes for people on how the file was read."""
