"""Read the spider's output as a catalogue: CSV, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row
from gars.datasets.crawled import CrawledAnime, cells, latest, read_crawled
from gars.datasets.dates import PartialDate, parse_aired, parse_date
from gars.datasets.problems import Problems
from gars.datasets.schema import CATALOGUE, conform_catalogue


def read_catalogue(path: Path) -> pl.DataFrame:
    """Read a crawl's output; of an anime crawled twice, the later record. Raises ``DataError``."""
    return as_catalogue(latest(read_crawled(path)).values(), path)


def as_catalogue(records: Iterable[CrawledAnime], path: Path) -> pl.DataFrame:
    """Convert records, one per anime, to the catalogue's schema; ``path`` is named in errors."""
    problems = Problems(path)
    rows = [_anime(record, Row(cells(record), place + 2, problems)) for place, record in enumerate(records)]
    problems.raise_if_any()
    schema = {name: kind for name, kind in CATALOGUE.items() if not rows or name in rows[0]}
    return conform_catalogue(pl.DataFrame(rows, schema=schema))


def _anime(record: CrawledAnime, row: Row) -> dict[str, Any]:
    start = _start(record)
    ties = {kind: _ids(record, kind) for kind in ("Prequel", "Sequel")}
    return {
        "anime_id": record.anime_id,
        "title": record.title,
        "title_english": record.title_english,
        "title_japanese": record.title_japanese,
        "synonyms": list(record.synonyms),
        "type": row.kind("type"),
        "episodes": record.episodes,
        "score": record.score,
        "members": record.members,
        # Older data sets count themes and demographics among the genres.
        "genres": list(dict.fromkeys((*record.genres, *record.themes, *record.demographics))),
        "studios": list(record.studios),
        "source": row.text("source"),
        "released": start.full() if start else None,
        "year": start.year if start else None,
        "duration_min": row.minutes("duration"),
        "image": record.image,
        "synopsis": row.synopsis("synopsis"),
        "adult": (record.rating or "").startswith("Rx") or "Hentai" in record.genres,
        "prequels": ties["Prequel"],
        "sequels": ties["Sequel"],
        "related": _ids(record),
    }


def _start(record: CrawledAnime) -> PartialDate | None:
    """Return the first day of airing; ``None`` if unparsable; ``gars data merge`` reports such dates."""
    try:
        return parse_aired(record.aired).start or parse_date(record.premiered)
    except ValueError:
        return None


def _ids(record: CrawledAnime, kind: str | None = None) -> list[int]:
    """Return the ids of related anime, of one relation kind or of any."""
    return sorted({tie.id for tie in record.relations if tie.medium == "anime" and kind in (None, tie.kind)})
