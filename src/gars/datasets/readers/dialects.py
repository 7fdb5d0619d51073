"""Dialects of input files: detected by header, with the meaning of their columns."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl

from gars.datasets.csv_rows import SEPARATORS
from gars.datasets.scales import FIVE, TEN, Scale
from gars.datasets.schema import CATALOGUE
from gars.domain.errors import DataError

Role = Literal["interactions", "catalogue", "synopses", "statuses"]


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of an interactions file, and its placeholders for missing values."""

    user: str
    item: str
    rating: str | None = None
    status: str | None = None
    time: str | None = None
    named: bool = False
    """User ids are names: they are hashed and never stored."""
    unscored: tuple[str, ...] = ("",)
    """Values of a rating that mean watched but not rated."""
    scale: Scale | None = None
    """Scale of the ratings; ``None`` infers it from all ratings of the file."""
    kind: str | None = None
    """Column with the kind of a title: rows of manga are left out."""
    first_item: int = 1
    """The lowest id an item can have."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A file whose dialect is known. ``columns`` is set for interactions only."""

    path: Path
    dialect: str
    role: Role
    separator: str = ","
    header: tuple[str, ...] = ()
    has_header: bool = True
    encoding: str = "utf-8-sig"
    columns: Columns | None = None

    @property
    def quoted(self) -> bool:
        """Return true if cells may be in double quotes."""
        return self.separator in (",", ";", "|")

    @property
    def quoting(self) -> Literal[0, 3]:
        """Return the quoting mode for the csv module."""
        return csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE

    @property
    def mal_ids(self) -> bool:
        """Return true if item ids are MyAnimeList ids."""
        return self.dialect in MAL_DIALECTS or "anime_id" in self.header


MAL_DIALECTS = frozenset(
    {"gars", "gars-crawl", "kaggle-2016", "kaggle-2018", "kaggle-2020", "kaggle-2023", "kaggle-2025", "caserec"}
)
_ANIMELIST_2018 = Columns(
    "username", "anime_id", "my_score", "my_status", "my_last_updated", named=True, unscored=("", "0"), scale=TEN
)
_ANIMELIST_2020 = Columns("user_id", "anime_id", "rating", "watching_status", unscored=("", "0"), scale=TEN)
_RATINGS_2016 = Columns("user_id", "anime_id", "rating", unscored=("", "-1", "0"))
_MOVIELENS = Columns("userId", "movieId", "rating", time="timestamp", scale=FIVE)
_MOVIELENS_1_5 = ("userId", "movieId", "rating", "timestamp")

_BY_HEADER: tuple[tuple[str, Role, frozenset[str], Columns | None], ...] = (
    ("gars", "catalogue", frozenset(CATALOGUE), None),
    ("gars-crawl", "catalogue", frozenset({"anime_id", "title", "aired", "crawled_at"}), None),
    ("kaggle-2018", "interactions", frozenset({"username", "anime_id", "my_score", "my_status"}), _ANIMELIST_2018),
    ("kaggle-2018", "catalogue", frozenset({"anime_id", "title", "title_japanese", "aired", "related"}), None),
    ("kaggle-2020", "synopses", frozenset({"MAL_ID", "Name", "sypnopsis"}), None),
    ("kaggle-2020", "catalogue", frozenset({"MAL_ID", "Name", "Genres"}), None),
    ("kaggle-2020", "interactions", frozenset({"user_id", "anime_id", "rating", "watching_status"}), _ANIMELIST_2020),
    ("kaggle-2020", "statuses", frozenset({"status", "description"}), None),
    ("kaggle-2023", "catalogue", frozenset({"anime_id", "Name", "Other name", "Image URL"}), None),
    (
        "kaggle-2023",
        "interactions",
        frozenset({"user_id", "Username", "anime_id", "rating"}),
        Columns("user_id", "anime_id", "rating", unscored=("", "0"), scale=TEN),
    ),
    ("kaggle-2025", "catalogue", frozenset({"animeID", "title", "mal_url"}), None),
    (
        "kaggle-2025",
        "interactions",
        frozenset({"userID", "animeID", "rating"}),
        Columns("userID", "animeID", "rating", unscored=("", "0", "-1"), scale=TEN, first_item=0),
    ),
    ("kaggle-2016", "catalogue", frozenset({"anime_id", "name", "genre", "members"}), None),
    ("movielens", "interactions", frozenset({"userId", "movieId", "rating"}), _MOVIELENS),
    ("movielens", "catalogue", frozenset({"movieId", "title", "genres"}), None),
)
"""First match wins; a header may have more columns than these."""

HEADERLESS = {
    "ratings.dat": ("::", _MOVIELENS_1_5),
    "u.data": ("\t", _MOVIELENS_1_5),
    "movies.dat": ("::", ("movieId", "title", "genres")),
}
"""MovieLens files without a header, by name: separator and columns."""

KNOWN = "kaggle-2016, -2018, -2020, -2023, -2025, the caserec zip, MovieLens, or plain user_id,item_id[,rating][,time]"
_PLAIN_RATINGS = {"rating", "score"}
_PLAIN_TIMES = {"time", "timestamp", "date"}
_PLAIN_STATUSES = ("status", "my_status", "watching_status")
_PLAIN_KINDS = ("type", "media_type", "kind")


def detect(path: Path) -> Layout:
    """Detect the dialect of a file by its header. Raises ``DataError`` for an unknown one."""
    if not path.is_file():
        raise DataError(f"{path}: no such file", hint="check the path; gars data import takes one or more files")
    if path.suffix == ".parquet":
        return _of_header(path, tuple(_parquet_columns(path)), ",")
    if path.suffix == ".jsonl":
        return _of_header(path, _first_keys(path), ",")
    if zipfile.is_zipfile(path):
        return _of_zip(path)
    if path.name in HEADERLESS:
        separator, header = HEADERLESS[path.name]
        role: Role = "interactions" if "userId" in header else "catalogue"
        columns = _MOVIELENS if role == "interactions" else None
        return Layout(path, "movielens", role, separator, header, has_header=False, encoding="latin-1", columns=columns)
    with path.open("rb") as file:
        first = file.readline(1 << 16).decode("utf-8-sig", "replace").rstrip("\r\n")
    if not first.strip():
        raise DataError(f"{path}: is empty", hint=f"a file needs a header; known are {KNOWN}")
    separator = max(SEPARATORS, key=first.count)
    return _of_header(path, tuple(name.strip() for name in next(csv.reader([first], delimiter=separator))), separator)


def _of_header(path: Path, header: tuple[str, ...], separator: str) -> Layout:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}: column {twice[0]!r} is there twice", hint="give every column a name of its own")
    if set(header) == {"user_id", "anime_id", "rating"}:
        return Layout(path, "kaggle-2016", "interactions", separator, header, columns=_RATINGS_2016)
    for dialect, role, needed, columns in _BY_HEADER:
        if needed <= set(header):
            return Layout(path, dialect, role, separator, header, columns=columns)
    plain = _plain(header)
    if plain is not None:
        return Layout(path, "plain", "interactions", separator, header, columns=plain)
    if {"item_id", "anime_id"} & set(header):
        return Layout(path, "plain", "catalogue", separator, header)
    raise DataError(
        f"{path}: no dialect has the header {', '.join(header)[:200]}",
        hint=f"known are {KNOWN}; rename the columns to user_id,item_id,rating",
    )


def _plain(header: tuple[str, ...]) -> Columns | None:
    item = next((name for name in ("item_id", "anime_id") if name in header), None)
    if item is None or "user_id" not in header:
        return None
    return Columns(
        user="user_id",
        item=item,
        rating=next((name for name in header if name in _PLAIN_RATINGS), None),
        status=next((name for name in _PLAIN_STATUSES if name in header), None),
        time=next((name for name in header if name in _PLAIN_TIMES), None),
        first_item=1 if item == "anime_id" else 0,
        kind=next((name for name in _PLAIN_KINDS if name in header), None) if item == "anime_id" else None,
    )


def _of_zip(path: Path) -> Layout:
    with zipfile.ZipFile(path) as archive:
        members = {Path(name).name for name in archive.namelist()}
        sample = is_sample_zip(archive)
    if sample:
        return Layout(path, "caserec", "interactions", "\t")
    shown = ", ".join(sorted(filter(None, members))[:5])
    raise DataError(f"{path}: is a zip GARS does not know ({shown})", hint="unpack it and import the files in it")


def is_sample_zip(archive: zipfile.ZipFile) -> bool:
    """Return true if a zip archive holds the files of the caserec sample."""
    members = {Path(name).name for name in archive.namelist()}
    return {"anime_ratings.dat", "anime_history.dat", "anime_info.dat"} <= members


def _first_keys(path: Path) -> tuple[str, ...]:
    """Return the keys of the first object of a JSON lines file."""
    with path.open("rb") as file:
        line = file.readline()
    try:
        return tuple(msgspec.json.decode(line, type=dict[str, object]))
    except msgspec.DecodeError as error:
        raise DataError(
            f"{path}: line 1 is not a JSON object: {error}", hint="write it again, or give a CSV"
        ) from error


def _parquet_columns(path: Path) -> list[str]:
    try:
        return list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: is not a Parquet file: {error}", hint="write it again, or give a CSV") from error
