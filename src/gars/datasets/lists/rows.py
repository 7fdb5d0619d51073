"""Parse tables of users or scripts: CSV, or JSON objects, with a MyAnimeList id in each row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gars.datasets import statuses, times
from gars.datasets.csv_rows import Header, read_header, read_rows
from gars.datasets.lists.draft import Draft, brief, known_id, refuse_manga, shown
from gars.datasets.lists.json_documents import objects
from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import ListEntry, PersonalList

TABLE, DOCUMENT = "CSV table", "JSON list"
_COLUMNS: dict[str, str] = {
    "id": """
        anime_id mal_id item_id series_animedb_id myanimelist_id id_mal mal_anime_id animedb_id mal target_id
    """,
    "anilist": "anilist_id id_anilist al_id",
    "rating": """
        my_score my_rating your_score your_rating user_score user_rating rating score stars rating_twenty
    """,
    "status": "my_status watching_status user_status list_status status watchlist list state",
    "title": "title name series_title anime_title target_title title_romaji title_english",
    "type": """
        media_type series_type anime_type target_type anime_media_type_string type kind format medium
    """,
    "time": "my_last_updated last_updated updated_at time timestamp date updated watched_at last_watched_at",
    "user": "user_id username user",
    "watched": "my_finish_date finish_date finished_at completed_at finished",
}
"""Role of a column → its known names, the likelier meaning first. One column of each role is read."""
_NUMBERED = re.compile(r"\d")
_NESTED = ("node", "anime", "entry", "media", "work", "list_status", "target")
_HOLDERS = (
    *("anime", "animelist", "anime_list", "list", "entries", "data", "items", "results", "rates", "library"),
    "rows",
)


class Columns:
    """Names of a table's columns by role."""

    def __init__(self, names: Iterator[str] | tuple[str, ...] | list[str]) -> None:
        given = {statuses.letters(name): name for name in reversed(list(names))}
        self._found = {
            use: next((given[key] for one in known.split() if (key := statuses.letters(one)) in given), None)
            for use, known in _COLUMNS.items()
        }

    @property
    def has_id(self) -> bool:
        """Return true if a column holds anime ids."""
        return self._found["id"] is not None or self._found["anilist"] is not None

    def cell(self, row: Mapping[str, object], use: str) -> Any:
        """Return the value of the column for ``use``; text is stripped, ``None`` if empty."""
        name = self._found[use]
        value = row.get(name) if name is not None else None
        return (value.strip() or None) if isinstance(value, str) else value


def header(text: str) -> Header | None:
    """Return column names and separator if one of the columns is an anime id."""
    found = read_header(text)
    return found if found is not None and Columns(found.names).has_id else None


def parse_table(text: str, found: Header) -> PersonalList:
    """Read a table below a header that ``header`` knows.

    Raises:
        InvalidInputError: the line ends are lost, a quote is not closed, it holds the lists of several users or of
            manga, or hardly anything in it can be read; a line is named.
    """
    reader = _Reader(TABLE, Columns(found.names))
    width = len(found.names)
    rows = 0
    for line, cells in read_rows(text, found):
        rows += 1
        place = f"line {line}"
        if any(cell.strip() for cell in cells[width:]) or 1 < len(cells) < width:
            reader.draft.skip(place, f"the line has {len(cells)} cells, the header {width}", place)
        else:
            reader.read(dict(zip(found.names, cells, strict=False)), place)
    if not rows and (odd := [name for name in found.names if _NUMBERED.search(name)]):
        raise InvalidInputError(
            f"line {found.lines}: the table is one line, with numbers among its column names ({shown(odd[0])!r}): its "
            "line ends are lost",
            hint="send the file as it is; with curl: --data-binary @FILE, not -d @FILE",
        )
    return reader.done()


def find_objects(documents: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Find the rows of a list in JSON: the documents themselves, or an array inside; ``None`` without ids of anime."""
    for rows in (documents, *_inside(documents)):
        flat = [_flattened(row) for row in rows]
        if flat and any(Columns(list(row)).has_id for row in flat[:5]):
            return flat
    return None


def parse_objects(rows: list[dict[str, Any]]) -> PersonalList:
    """Read rows that ``find_objects`` returned. Raises as ``parse_table``."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    reader = _Reader(DOCUMENT, Columns(names))
    for number, row in enumerate(rows, 1):
        reader.read(row, f"entry {number}")
    return reader.done()


class _Reader:
    """Reads rows into a draft."""

    def __init__(self, source: str, columns: Columns) -> None:
        self.draft = Draft(source)
        self._columns = columns
        self._users: set[str] = set()
        self._rows = self._manga = 0

    def read(self, row: Mapping[str, object], place: str) -> None:
        """Read one row."""
        cell = self._columns.cell
        self._rows += 1
        if user := cell(row, "user"):
            self._users.add(brief(user))
        status = cell(row, "status")
        if _is_manga(cell(row, "type"), status):
            self._manga += 1
            return
        id_text = cell(row, "id")
        title = cell(row, "title")
        title = title if isinstance(title, str) else None
        anime_id, anilist_id = known_id(id_text), known_id(cell(row, "anilist"))
        if anime_id is None and anilist_id is None:
            why = f"{brief(id_text)!r} is no MyAnimeList id" if id_text is not None else "it has no id"
            self.draft.skip(title or place, why, place)
            return
        self.draft.add(
            ListEntry(
                anime_id=anime_id,
                anilist_id=anilist_id,
                title=title,
                updated_ms=self._time(cell(row, "time")),
                watched_ms=times.any_ms(cell(row, "watched")),
            ),
            place=place,
            status=status,
            score=cell(row, "rating"),
        )

    def done(self) -> PersonalList:
        """Return the list."""
        if len(self._users) > 1:
            raise InvalidInputError(
                f"the table holds the lists of {len(self._users):,} users",
                hint="ratings of many users are imported with: gars data import FILE",
            )
        if self._rows and self._manga == self._rows:
            raise refuse_manga(self.draft.source)
        self.draft.settle()
        if self._manga:
            self.draft.note(f"{self._manga} manga left out")
        return self.draft.done()

    def _time(self, value: object) -> int | None:
        found = times.any_ms(value)
        if found is None and value is not None and not times.is_missing(brief(value)):
            self.draft.note(f"a time was not understood and left out: {shown(brief(value))!r}")
        return found


def _is_manga(kind: object, status: object) -> bool:
    if isinstance(kind, str) and statuses.is_manga_kind(kind):
        return True
    word = statuses.look_up(status) if isinstance(status, str) else None
    return word is not None and word.of_manga


def _inside(documents: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield arrays of objects under the names that sites give to a list, at most two levels down."""
    for _ in range(2):
        for holder in _HOLDERS:
            found = [one for document in documents for one in objects(document.get(holder))]
            if found:
                yield found
        documents = [inner for one in documents for name in _HOLDERS if isinstance(inner := one.get(name), dict)]


def _flattened(row: dict[str, Any]) -> dict[str, Any]:
    """Merge fields of nested objects like ``anime`` or ``node`` into the row; the row's own fields take precedence."""
    inner = {key: value for name in _NESTED if isinstance(row.get(name), dict) for key, value in row[name].items()}
    return {**inner, **{key: value for key, value in row.items() if not isinstance(value, dict)}}
