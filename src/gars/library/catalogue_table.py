"""A catalogue of any make into ``Anime``: cells as data frames, Kaggle and people write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.datasets.catalogue_rows import MISSING, first_day, plain_number
from gars.datasets.identifiers import parse_id
from gars.datasets.names import split_names
from gars.datasets.readers.dialects import detect
from gars.domain.anime import Anime, Streaming, is_colour
from gars.domain.errors import DataError, InvalidInputError
from gars.domain.season import is_season
from gars.library.columns import Labels, read_ids, same_kind
from gars.library.tables import Table, read_table, readable_copy, values_of

_ALIASES = {"name": "title", "genre": "genres", "duration": "duration_min", "studio": "studios", "tag": "tags"}
_IDS = ("item_id", "anime_id")
_WHOLE = frozenset({"episodes", "members", "year", "duration_min", "anilist_id", "anidb_id", "tvdb_id"})
_NAMES = frozenset({"genres", "synonyms", "tags", "studios"})
_ID_LISTS = frozenset({"prequels", "sequels", "related", "recommended"})
_DATES = frozenset({"released", "members_at"})
_ON_TEN = 10
_NARROW: dict[str, Callable[[Any], bool]] = {
    "season": lambda value: isinstance(value, str) and is_season(value),
    "airing": lambda value: value in ("finished", "airing", "upcoming"),
    "trailer": lambda value: isinstance(value, str),
    "cover_colour": lambda value: isinstance(value, str) and is_colour(value),
    "members_at": lambda value: type(value) is date,
}
"""Fields that take only such values: other tables have columns of these names that hold something else."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Ids and the cells of each item."""

    labels: Labels
    """(n,) int64 or str, each once."""
    cells: list[dict[str, Any]]
    """(n,) fields of ``Anime``; what is not known is left out."""


def read_catalogue_table(source: Any) -> Catalogue:
    """Read a catalogue: a table with ``item_id`` (or ``anime_id``) and any fields of ``Anime``, or the file of a set.

    ``name`` and ``genre`` are other words for title and genres, and a ``rating`` of numbers up to 10 for the score, as
    in Kaggle's ``anime.csv``.

    Raises:
        InvalidInputError: there is no id column, an id stands twice, or a cell holds what it cannot hold.
        DataError: the file cannot be read.
    """
    table = read_table(_known_file(source), "catalogue")
    name = next((one for one in _IDS if one in table), None)
    if name is None:
        raise InvalidInputError(
            f"catalogue has no column item_id; there are: {', '.join(table.names)}", hint="name the id column item_id"
        )
    labels = read_ids(table, name)
    twice = len(labels) - len(np.unique(labels))
    if twice:
        raise InvalidInputError(f"catalogue: {twice:,} item_id(s) stand more than once", hint="keep one row an item")
    cells: list[dict[str, Any]] = [{} for _ in range(table.height)]
    for given in dict.fromkeys(table.names):
        field = _field_of(given, table)
        if field is not None:
            _read_column(table, given, field, cells)
    return Catalogue(labels, cells)


def anime_of(catalogue: Catalogue | None, item_ids: NDArray[Any]) -> list[Anime]:
    """Return one ``Anime`` for each label, in that order; a value missing in the catalogue stays unknown.

    Integer labels are the anime ids; others are numbered by their place.
    """
    known: dict[Any, dict[str, Any]] = {}
    if catalogue is not None:
        labels = same_kind(catalogue.labels, item_ids, "catalogue").tolist()
        known = dict(zip(labels, catalogue.cells, strict=True))
    numbered = item_ids.dtype.kind != "i"
    anime = []
    for place, label in enumerate(item_ids.tolist()):
        cells = dict(known.get(label, {}))
        title = str(cells.pop("title", None) or label)
        anime.append(Anime(anime_id=place if numbered else int(label), title=title, **cells))
    return anime


def _known_file(source: Any) -> Any:
    """The catalogue of a known data set in the normal form; anything else as it is."""
    if not isinstance(source, str | Path) or not Path(source).is_file():
        return source
    from gars.datasets.catalogues import read_catalogue  # with its sources, which a loaded model does not need

    with readable_copy(Path(source)) as copy:
        try:
            layout = detect(copy)
        except DataError:  # another header: its columns may still be those of a catalogue
            return source
        if layout.role != "catalogue" or layout.dialect in ("plain", "gars"):
            return source
        return read_catalogue(layout)


def _field_of(given: str, table: Table) -> str | None:
    """The field of ``Anime`` that a column fills, ``None`` for a column that is not read."""
    if given == "rating" and "score" not in table:
        return "score"
    field = _ALIASES.get(given, given)
    if field != given and field in table:
        return None
    return field if field in Anime.__struct_fields__ and field != "anime_id" else None


def _read_column(table: Table, given: str, field: str, cells: list[dict[str, Any]]) -> None:
    read = _reader(field)
    for row, value in enumerate(values_of(table.column(given))):
        if value is None or (field in _NARROW and not _NARROW[field](value)):
            continue
        try:
            found = read(value)
        except (ValueError, TypeError, OverflowError, msgspec.ValidationError) as error:
            if given != field and given == "rating":  # such as PG-13: the column is of another kind
                for one in cells:
                    one.pop(field, None)
                return
            raise InvalidInputError(
                f"catalogue: column {given}, row {row} (from 0): {str(value)[:60]!r} {error}",
                hint="correct the value, or leave it empty where it is not known",
            ) from error
        if isinstance(found, dict):  # a date that is known to its year only
            for name, known in found.items():
                cells[row].setdefault(name, known)
        elif found is not None:
            cells[row][field] = found


def _reader(field: str) -> Callable[[object], Any]:
    if field in _WHOLE:
        return _whole
    if field == "score":
        return _score
    if field in _NAMES:
        return _names
    if field in _ID_LISTS:
        return _ids
    if field in _DATES:
        return _date
    if field == "adult":
        return _flag
    return _streaming if field == "streaming" else _text


def _text(value: object) -> str | None:
    text = str(value).strip()
    return text if text and text.lower() not in ("nan", "none", "null") else None


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        raise TypeError("is no number")
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value)
    text = str(value).strip()
    if text.lower() in MISSING:
        return None
    try:
        return float(plain_number(text))
    except ValueError:
        raise ValueError("is no number") from None


def _whole(value: object) -> int | None:
    number = _number(value)
    if number is None or number <= 0:
        return None
    if number != int(number):
        raise ValueError("is no whole number")
    return int(number)


def _score(value: object) -> float | None:
    number = _number(value)
    if number is not None and number > _ON_TEN:
        raise ValueError("is no score up to 10")
    return number if number is not None and number > 0 else None


def _elements(value: object) -> list[object]:
    if isinstance(value, str):
        return list(split_names(value))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        return [one for one in value if one is not None]
    raise TypeError("is no list of names")


def _names(value: object) -> tuple[str, ...] | None:
    names = (str(one).strip() for one in _elements(value))
    return tuple(dict.fromkeys(name for name in names if name.lower() not in MISSING)) or None


def _ids(value: object) -> tuple[int, ...] | None:
    ids = []
    for one in _elements(value):
        number = parse_id(one)
        if number is None:
            raise ValueError(f"holds {one!r}, which is no id")
        ids.append(number)
    return tuple(ids) or None


def _date(value: object) -> date | dict[str, int] | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and 1900 <= value < 2200:
        return {"year": int(value)}
    text = str(value).strip()
    if text.lower() in MISSING:
        return None
    first = text.split(" to ")[0]
    day, year = first_day(first)
    if day is None and len(first) > 10:
        day, year = first_day(first[:10])  # a day with a time
    if day is not None:
        return day
    if year is None and text[:4].isdigit():
        year = int(text[:4])
    return {"year": year} if year is not None else None


def _flag(value: object) -> bool:
    if isinstance(value, bool | np.bool_) or value in (0, 1):
        return bool(value)
    text = str(value).strip().lower()
    if text in ("true", "yes", "1", "1.0"):
        return True
    if text in ("false", "no", "0", "0.0", ""):
        return False
    raise ValueError("is neither true nor false")


def _streaming(value: object) -> tuple[Streaming, ...] | None:
    return msgspec.convert(_elements(value), tuple[Streaming, ...]) or None
