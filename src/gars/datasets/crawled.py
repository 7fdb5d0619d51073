"""Crawled anime records: one per page, in CSV (lists as JSON), JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from gars.datasets.durable import whole_file
from gars.datasets.ownership import has_columns
from gars.domain.errors import DataError, InvalidInputError


class Relation(msgspec.Struct, frozen=True):
    """A related work: relation as named by the site, ``anime`` or ``manga``, id and title."""

    kind: str
    medium: str
    id: int
    title: str


class CrawledAnime(msgspec.Struct, frozen=True, kw_only=True):
    """An anime with the texts of its page. A missing value is ``None`` or empty, never 0 and never "N/A"."""

    anime_id: int
    title: str
    title_english: str | None = None
    title_japanese: str | None = None
    synonyms: tuple[str, ...] = ()
    type: str | None = None
    episodes: int | None = None
    status: str | None = None
    aired: str | None = None
    """Text of the site, such as ``Apr 3, 1998 to Apr 24, 1999``; parsed by ``dates.parse_aired``."""
    premiered: str | None = None
    broadcast: str | None = None
    producers: tuple[str, ...] = ()
    licensors: tuple[str, ...] = ()
    studios: tuple[str, ...] = ()
    source: str | None = None
    genres: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    demographics: tuple[str, ...] = ()
    duration: str | None = None
    rating: str | None = None
    """The age rating, not a score."""
    score: float | None = None
    scored_by: int | None = None
    rank: int | None = None
    popularity: int | None = None
    members: int | None = None
    favorites: int | None = None
    synopsis: str | None = None
    image: str | None = None
    url: str | None = None
    relations: tuple[Relation, ...] = ()
    crawled_at: datetime
    """Time the page was read, UTC."""


_RELATION = pl.Struct({"kind": pl.String(), "medium": pl.String(), "id": pl.Int64(), "title": pl.String()})
CRAWLED: dict[str, pl.DataType] = {
    "anime_id": pl.Int64(),
    **dict.fromkeys(("title", "title_english", "title_japanese"), pl.String()),
    "synonyms": pl.List(pl.String()),
    "type": pl.String(),
    "episodes": pl.Int64(),
    **dict.fromkeys(("status", "aired", "premiered", "broadcast"), pl.String()),
    **dict.fromkeys(("producers", "licensors", "studios"), pl.List(pl.String())),
    "source": pl.String(),
    **dict.fromkeys(("genres", "themes", "demographics"), pl.List(pl.String())),
    **dict.fromkeys(("duration", "rating"), pl.String()),
    "score": pl.Float64(),
    **dict.fromkeys(("scored_by", "rank", "popularity", "members", "favorites"), pl.Int64()),
    **dict.fromkeys(("synopsis", "image", "url"), pl.String()),
    "relations": pl.List(_RELATION),
    "crawled_at": pl.Datetime("ms", "UTC"),
}
"""The columns of a crawl's output, in order."""

_FIELDS = CrawledAnime.__struct_fields__
assert tuple(CRAWLED) == _FIELDS
_AS_JSON = frozenset(name for name, kind in CRAWLED.items() if isinstance(kind, pl.List))
FORMATS = ("csv", "jsonl", "parquet")


def cells(record: CrawledAnime) -> dict[str, str]:
    """Convert a record to the cells of a CSV row: lists as JSON, missing values as empty cells."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    return {name: cell(name, plain[name]) for name in _FIELDS}


def cell(name: str, value: object) -> str:
    """Convert one value to the text of a CSV cell."""
    if value is None or value in ([], ()):
        return ""
    return json.dumps(value, ensure_ascii=False) if name in _AS_JSON else str(value)


def write_crawled(records: Sequence[CrawledAnime], path: Path) -> None:
    """Write records, one an anime and ascending by id, whole or not at all; the ending of ``path`` is the format.

    Raises:
        InvalidInputError: the ending is not one of ``FORMATS``, or ``path`` is a file that a crawl did not write.
        StorageError: the disk is full.
    """
    form = format_of(path)
    ordered = sorted(latest(records).values(), key=lambda record: record.anime_id)
    with whole_file(path, is_ours=has_columns(tuple(CRAWLED))) as file:
        if form == "parquet":
            frame_of(ordered).write_parquet(file)
        elif form == "jsonl":
            file.writelines(msgspec.json.encode(record) + b"\n" for record in ordered)
        else:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            writer = csv.DictWriter(text, _FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(cells, ordered))
            text.flush()
            text.detach()


def format_of(path: Path) -> str:
    """Return the format named by the suffix of ``path``. Raises ``InvalidInputError``."""
    form = path.suffix.removeprefix(".")
    if form not in FORMATS:
        raise InvalidInputError(
            f"{path}: a crawl is not written as {form or 'a file without an ending'!r}",
            hint=f"choose an ending: {', '.join(FORMATS)}",
        )
    return form


def read_crawled(path: Path) -> list[CrawledAnime]:
    """Read a file of ``write_crawled`` (or a Scrapy feed of the spider), in file order; repeated ids are kept.

    Raises:
        DataError: a row is not a record; the line is named.
    """
    form = format_of(path)
    try:
        rows = pl.read_parquet(path).to_dicts() if form == "parquet" else _rows(path, form)
        return [_record(row, path, line) for line, row in enumerate(rows, start=1 if form == "jsonl" else 2)]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{path}: cannot be read: {error}", hint="check the path; or crawl again") from error


def _rows(path: Path, form: str) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if form == "jsonl":
            yield from file
        else:
            yield from csv.DictReader(file)


def _record(row: Any, path: Path, line: int) -> CrawledAnime:
    try:
        if isinstance(row, str):
            return msgspec.json.decode(row, type=CrawledAnime)
        known = {name: value for name, value in row.items() if name in CRAWLED and value not in (None, "")}
        known |= {name: json.loads(known[name]) for name in _AS_JSON & known.keys() if isinstance(known[name], str)}
        return msgspec.convert(known, CrawledAnime, strict=False)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: line {line} is not a crawled anime: {error}", hint="remove the line") from error


def latest(records: Iterable[CrawledAnime]) -> dict[int, CrawledAnime]:
    """Keep the record crawled last for each anime (of equal times, the later in the sequence)."""
    found: dict[int, CrawledAnime] = {}
    for record in records:
        kept = found.get(record.anime_id)
        if kept is None or record.crawled_at >= kept.crawled_at:
            found[record.anime_id] = record
    return found


def frame_of(records: Iterable[CrawledAnime]) -> pl.DataFrame:
    """Convert records to a frame with the columns of ``CRAWLED``."""
    rows = [msgspec.to_builtins(record, builtin_types=(datetime,)) for record in records]
    utc = [{**row, "crawled_at": row["crawled_at"].astimezone(UTC)} for row in rows]
    return pl.DataFrame(utc, schema=CRAWLED)
