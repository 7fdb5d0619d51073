"""A personal list while it is being read: entries, and an account of everything that could not be used."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import ListEntry, PersonalList, SkippedEntry

MAX_ENTRIES = 50_000
"""More titles than exist: not a list of one person."""
_MAX_ID = 2**31 - 1
_SHOWN = 80
_BRIEF = 200
_MAX_NOTES = 20


class Draft:
    """Collects what a parser finds."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._entries: list[ListEntry] = []
        self._skipped: list[SkippedEntry] = []
        self._notes: Counter[str] = Counter()

    def add(self, entry: ListEntry) -> None:
        """Keep an entry that has an id; account for one that has none."""
        if entry.anime_id is None and entry.anilist_id is None:
            self.skip(entry.title or "an entry without a title", "it has no MyAnimeList id")
            return
        self._entries.append(replace(entry, title=shown(entry.title) if entry.title else None))
        self._check_size()

    def skip(self, name: str, why: str) -> None:
        """Account for an entry that is not taken."""
        self._skipped.append(SkippedEntry(shown(name), why))
        self._check_size()

    def note(self, text: str) -> None:
        """Say something about the list as a whole; the same note counts how often it was made."""
        self._notes[text] += 1

    def done(self) -> PersonalList:
        """The list."""
        counted = list(self._notes.items())
        notes = tuple(text if count == 1 else f"{text} ({count} times)" for text, count in counted[:_MAX_NOTES])
        if len(counted) > _MAX_NOTES:
            notes += (f"and {len(counted) - _MAX_NOTES} more of this kind",)
        return PersonalList(source=self.source, entries=tuple(self._entries), skipped=tuple(self._skipped), notes=notes)

    def _check_size(self) -> None:
        if len(self._entries) + len(self._skipped) > MAX_ENTRIES:
            raise InvalidInputError(
                f"this {self.source} has more than {MAX_ENTRIES:,} entries: it is no list of one person",
                hint="ratings of many users are imported with: gars data import FILE",
            )


def refuse_manga(source: str) -> InvalidInputError:
    """The answer to a list of manga."""
    return InvalidInputError(
        f"this {source} is a list of manga; GARS knows anime only",
        hint="export the anime list instead: on MyAnimeList choose 'Anime List' on the export page",
    )


def known_id(value: object) -> int | None:
    """An id, given as a number or as its digits; ``None`` for anything else and for 0."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_ID)) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= _MAX_ID else None


def brief(value: object) -> str:
    """A value of a file as text to compare or show: its first characters if it is one word, else what kind it is."""
    return str(value)[:_BRIEF] if isinstance(value, str | int | float) else type(value).__name__


def shown(text: str) -> str:
    """Text of a file as an answer may show it: short, in one line, without control characters."""
    clean = "".join(character if character.isprintable() else " " for character in text[: 2 * _SHOWN])
    clean = " ".join(clean.split())
    return clean if len(clean) <= _SHOWN else clean[: _SHOWN - 1] + "…"
