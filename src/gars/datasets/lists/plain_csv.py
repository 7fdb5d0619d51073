"""A table a person or a script made: a column with the MyAnimeList id, and any of rating, status, title, time."""

from __future__ import annotations

import csv
import io

from gars.datasets.lists import words
from gars.datasets.lists.draft import Draft, known_id
from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "CSV table"
_ID = ("anime_id", "mal_id", "item_id", "series_animedb_id", "myanimelist_id")
_ANILIST = ("anilist_id",)
_RATING = ("rating", "score", "my_score")
_STATUS = ("status", "my_status", "watching_status")
_TITLE = ("title", "name", "series_title")
_TIME = ("time", "timestamp", "date", "updated_at", "my_last_updated")
_USER = ("user_id", "username", "user")
_WATCHED_UNRATED = "-1"


def header(content: str) -> tuple[list[str], str] | None:
    """Column names and separator of the first line, if one of them is an id of an anime."""
    first = content.removeprefix("\ufeff").split("\n", 1)[0].strip("\r")[:4096]
    separator = max((",", "\t", ";"), key=first.count)
    names = [name.strip().strip('"').lower() for name in first.split(separator)]
    return (names, separator) if {*_ID, *_ANILIST} & set(names) else None


def parse(content: str) -> PersonalList:
    """Read a table whose first line ``header`` knows.

    Raises:
        InvalidInputError: the table cannot be read, or holds the lists of several users.
    """
    known = header(content)
    if known is None:
        raise InvalidInputError(
            "the table has no column anime_id", hint="name it in the first line, as anime_id,rating"
        )
    names, separator = known
    draft = Draft(SOURCE)
    users: set[str] = set()
    try:
        reader = csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""), delimiter=separator)
        next(reader, None)
        for cells in reader:
            if cells:
                _read(dict(zip(names, cells, strict=False)), reader.line_num, users, draft)
    except csv.Error as error:
        raise InvalidInputError(
            f"the table cannot be read at line {reader.line_num}: {error}", hint="save it as plain CSV in UTF-8"
        ) from error
    if len(users) > 1:
        raise InvalidInputError(
            f"the table holds the lists of {len(users):,} users",
            hint="ratings of many users are imported with: gars data import FILE",
        )
    return draft.done()


def _read(row: dict[str, str], line: int, users: set[str], draft: Draft) -> None:
    users.update(user for name in _USER if (user := (row.get(name) or "").strip()))
    said_id, score = _first(row, _ID), _first(row, _RATING)
    anime_id, anilist_id = known_id(said_id), known_id(_first(row, _ANILIST))
    title = _first(row, _TITLE)
    if anime_id is None and anilist_id is None:
        draft.skip(title or f"line {line}", f"{said_id!r} is no MyAnimeList id" if said_id else "it has no id")
        return
    time = _first(row, _TIME)
    draft.add(
        ListEntry(
            anime_id=anime_id,
            anilist_id=anilist_id,
            title=title,
            status=words.status(_first(row, _STATUS), draft),
            rating=None if score == _WATCHED_UNRATED else words.rating(score, draft),
            updated_ms=words.seconds_ms(time) or words.time_ms(time) or words.day_ms(time),
        )
    )


def _first(row: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := (row.get(name) or "").strip())), None)
