"""Write the result of ``gars data merge``, the original catalogue file joined with crawls, in common file formats."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import polars as pl

from gars.datasets.catalogues import read_catalogue
from gars.datasets.crawled import CRAWLED, CrawledAnime, cells, latest, read_crawled
from gars.datasets.dates import parse_aired, parse_date
from gars.datasets.durable import sha256_of, whole_folder
from gars.datasets.merge import Merged, merge_catalogues
from gars.datasets.ownership import refuse_foreign_folder
from gars.datasets.readers.crawl import as_catalogue
from gars.datasets.readers.dialects import Layout
from gars.datasets.readers.readable import Readable
from gars.domain.errors import InvalidInputError

How = Literal["left", "full"]
MERGED, PARSED, CATALOGUE_FILE = "merged.csv", "parsed_anime.csv", "catalogue.parquet"
PROVENANCE, CONFLICT_FILE, REPORT = "provenance.parquet", "conflicts.csv", "merge.json"

_KEYS = ("anime_id", "MAL_ID")
_AIRED = ("aired_crawled", "aired", "Aired", "aired_string", "released")
_PREMIERED = ("premiered_crawled", "premiered", "Premiered")
_SHOWN = 5
_NO_TITLES = ("", "", "")


class MergeReport(msgspec.Struct, frozen=True, kw_only=True):
    """``merge.json``: counts of joined and left-out rows."""

    how: str
    sources: dict[str, str]
    """File → SHA-256."""
    original: int
    crawled: int
    both: int
    only_original: int
    only_crawled: int
    catalogue: int
    conflicts: dict[str, int]
    """Field → number of anime with conflicting values; ``conflicts.csv`` lists them."""
    taken_from: dict[str, dict[str, int]]
    """Field → source → number of anime; ``provenance.parquet`` lists them."""
    dates: dict[str, int]
    """Precision → number of anime in ``parsed_anime.csv``; ``none`` without a date."""
    unreadable_dates: int
    unreadable_examples: list[str]


@dataclass(frozen=True, slots=True)
class Crawls:
    """Records of several crawls: the latest of each anime, and its file."""

    records: dict[int, CrawledAnime]
    origins: dict[int, str]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Crawls:
        """Read the files. Raises ``DataError``; ``InvalidInputError`` when there are none or two of one name."""
        names = [path.name for path in paths]
        if not paths or len(set(names)) < len(names):
            raise InvalidInputError(
                f"crawls must be one or more files with names of their own, not {', '.join(names) or 'none'}",
                hint="gars data merge anime.csv output.csv --out merged",
            )
        records: dict[int, CrawledAnime] = {}
        origins: dict[int, str] = {}
        for path in paths:
            for anime_id, record in latest(read_crawled(path)).items():
                kept = records.get(anime_id)
                if kept is None or record.crawled_at >= kept.crawled_at:
                    records[anime_id], origins[anime_id] = record, path.name
        return cls(records, origins)

    def catalogue(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the records in the catalogue's schema, and ``anime_id, origin``."""
        frame = as_catalogue(self.records.values(), Path(", ".join(sorted(set(self.origins.values())))))
        rows = {"anime_id": list(self.origins), "origin": list(self.origins.values())}
        return frame, pl.DataFrame(rows, schema={"anime_id": pl.Int64(), "origin": pl.String()})


def merge_files(original: Path, crawls: Sequence[Path], out: Path, *, how: How = "left") -> MergeReport:
    """Write the folder ``out`` atomically.

    ``merged.csv`` is the original file, rows unchanged, joined with the crawl (names both have get ``_crawled``);
    ``parsed_anime.csv`` the same with dates in ISO 8601; ``catalogue.parquet`` one catalogue in the normal form, which
    ``gars data import`` reads. With ``how="full"`` anime of the crawl alone are in all three.

    Raises:
        DataError: a file cannot be read; the line is named.
        InvalidInputError: ``original`` is no catalogue of MyAnimeList ids, or ``out`` holds anything else than an
            earlier merge.
    """
    refuse_foreign_folder(out, written_names)
    with tempfile.TemporaryDirectory(prefix="gars-merge-") as scratch, (readable := Readable(Path(scratch))).errors():
        return _merge(readable.detect(original), original, crawls, out, how)


def _merge(layout: Layout, original: Path, crawls: Sequence[Path], out: Path, how: How) -> MergeReport:
    if layout.role != "catalogue" or not set(_KEYS) & set(layout.header):
        raise InvalidInputError(
            f"{original}: is not a catalogue of MyAnimeList ids ({layout.dialect} {layout.role})",
            hint="give the anime.csv of a Kaggle set, or a catalogue with the column anime_id",
        )
    found = Crawls.read(crawls)
    fresh, origins = found.catalogue()
    merged = merge_catalogues(read_catalogue(layout), fresh, origins, keep_new=how == "full")
    columns, rows = _joined_rows(layout, found.records, how)
    dates = _Dates()
    with whole_folder(out, written_names=written_names) as folder:
        _write(folder / MERGED, columns, rows)
        _write(folder / PARSED, _parsed_columns(columns), (dates.parsed(row) for row in rows))
        merged.catalogue.write_parquet(folder / CATALOGUE_FILE)
        merged.provenance.write_parquet(folder / PROVENANCE)
        merged.conflicts.write_csv(folder / CONFLICT_FILE)
        report = _report(how, [original, *crawls], merged, len(found.records), dates)
        (folder / REPORT).write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return report


def written_names(folder: Path) -> set[str]:
    """Return the file names of an earlier merge in ``folder``; empty if it has no valid ``merge.json``."""
    try:
        msgspec.json.decode((folder / REPORT).read_bytes(), type=MergeReport)
    except (OSError, msgspec.DecodeError):
        return set()
    return {MERGED, PARSED, CATALOGUE_FILE, PROVENANCE, CONFLICT_FILE, REPORT}


def _joined_rows(
    layout: Layout, records: Mapping[int, CrawledAnime], how: How
) -> tuple[list[str], list[dict[str, str]]]:
    """Left-join the crawl as text: every row of the original in its order, with its own cells unchanged."""
    key = next(name for name in _KEYS if name in layout.header)
    own = list(layout.header)
    theirs = {name: f"{name}_crawled" if name in own else name for name in CRAWLED if name != "anime_id"}
    rows, seen = [], set()
    for row in _raw_rows(layout):
        number = row[key].strip()
        record = records.get(int(number)) if number.isdecimal() else None
        seen.add(number)
        rows.append(row | _crawled(record, theirs))
    if how == "full":
        new = (record for anime_id, record in sorted(records.items()) if str(anime_id) not in seen)
        rows += [dict.fromkeys(own, "") | {key: str(one.anime_id)} | _crawled(one, theirs) for one in new]
    return [*own, *theirs.values()], rows


def _crawled(record: CrawledAnime | None, names: Mapping[str, str]) -> dict[str, str]:
    known = cells(record) if record else {}
    return {theirs: known.get(name, "") for name, theirs in names.items()}


def _raw_rows(layout: Layout) -> Iterator[dict[str, str]]:
    if layout.path.suffix == ".parquet":
        for row in pl.read_parquet(layout.path).iter_rows(named=True):
            yield {name: _as_text(value) for name, value in row.items()}
        return
    with layout.path.open(encoding=layout.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=layout.separator)
        next(reader)
        for values in reader:
            if values:
                yield dict(zip(layout.header, values, strict=True))


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return msgspec.json.encode(value).decode()
    return "" if value is None else str(value)


def _parsed_columns(columns: Sequence[str]) -> list[str]:
    kept = [name for name in columns if name not in _AIRED and name not in _PREMIERED]
    return [*kept, "aired_from", "aired_to", "aired_precision", "premiered"]


class _Dates:
    """Parses the dates of rows, and counts precisions and failures."""

    def __init__(self) -> None:
        self.precisions: dict[str, int] = {}
        self.unreadable = 0
        self.examples: list[str] = []

    def parsed(self, row: Mapping[str, str]) -> dict[str, str]:
        """Convert a row of ``merged.csv`` to one of ``parsed_anime.csv``: ISO 8601 dates, as precise as the text."""
        aired = next((found for name in _AIRED if (found := self._aired(row.get(name, "")))), None)
        season = next((month for name in _PREMIERED if (month := self._season(row.get(name, "")))), "")
        start, end, precision = aired if aired else _NO_TITLES
        self.precisions[precision or "none"] = self.precisions.get(precision or "none", 0) + 1
        dates = {"aired_from": start, "aired_to": end, "aired_precision": precision, "premiered": season}
        return {name: value for name, value in row.items() if name not in _AIRED and name not in _PREMIERED} | dates

    def _aired(self, text: str) -> tuple[str, str, str] | None:
        """Return start, end (``..`` if still airing) and precision; ``None`` if the text has no date."""
        try:
            aired = parse_aired(text)
        except ValueError:
            self._cannot(text)
            return None
        known = aired.start or aired.end
        if known is None:
            return None
        start = aired.start.iso() if aired.start else ""
        end = aired.end.iso() if aired.end else ".." if aired.open else ""
        return start, end, known.precision

    def _season(self, text: str) -> str:
        try:
            found = parse_date(text)
        except ValueError:
            self._cannot(text)
            return ""
        return found.iso() if found else ""

    def _cannot(self, text: str) -> None:
        self.unreadable += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(text)


def _write(path: Path, columns: Sequence[str], rows: Iterator[dict[str, str]] | Sequence[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _report(how: How, paths: Sequence[Path], merged: Merged, crawled: int, dates: _Dates) -> MergeReport:
    taken = {
        name: dict(merged.provenance[name].drop_nulls().value_counts(sort=True, name="count").iter_rows())
        for name in merged.provenance.columns
        if name != "anime_id"
    }
    both = crawled - merged.only_fresh
    return MergeReport(
        how=how,
        sources={path.name: sha256_of(path) for path in paths},
        original=both + merged.only_original,
        crawled=crawled,
        both=both,
        only_original=merged.only_original,
        only_crawled=merged.only_fresh,
        catalogue=merged.catalogue.height,
        conflicts=dict(merged.conflicts["field"].value_counts(sort=True, name="count").iter_rows()),
        taken_from=taken,
        dates=dict(sorted(dates.precisions.items())),
        unreadable_dates=dates.unreadable,
        unreadable_examples=dates.examples,
    )
