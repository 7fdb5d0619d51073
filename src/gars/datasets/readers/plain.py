"""A catalogue of one's own: ``item_id`` (or ``anime_id``) and any of the columns the normal form has."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue_rows import Row, first_day, read_catalogue_file
from gars.datasets.readers.dialects import Layout

_NAMES = ("title", "name")
_GENRES = ("genres", "genre")
_LISTS = ("synonyms", "tags", "studios")
_TEXTS = ("title_english", "title_japanese", "title_chinese", "type", "source", "image", "synopsis", "franchise")


def read_catalogue(layout: Layout) -> pl.DataFrame:
    """Read a CSV or Parquet file; returns the catalogue's schema.

    Lists are one text: ``Action, Drama``, ``Action|Drama``, JSON or a Python list. A row without a title is called by
    its id. Raises ``DataError``.
    """
    item = "anime_id" if "anime_id" in layout.header else "item_id"

    def entry(row: Row) -> dict[str, Any]:
        anime_id = row.required(item, lowest=0 if item == "item_id" else 1)
        released, year = first_day(row.text("released") or "")
        named = next((title for name in _NAMES if (title := row.raw(name))), None)
        return {
            "anime_id": anime_id,
            "title": named or f"{item.removesuffix('_id')} {anime_id}",
            "episodes": row.whole("episodes"),
            "score": row.number("score"),
            "members": row.whole("members"),
            "released": released,
            "year": row.whole("year") or year,
            "duration_min": row.whole("duration_min"),
            **{name: row.text(name) for name in _TEXTS},
            "genres": next((names for name in _GENRES if (names := row.names(name))), []),
            **{name: row.names(name) for name in _LISTS},
        }

    if layout.path.suffix != ".parquet":
        return read_catalogue_file(layout.path, entry, delimiter=layout.separator)
    with tempfile.TemporaryDirectory(prefix="gars-catalogue-") as folder:
        text = Path(folder) / f"{layout.path.stem}.csv"
        _as_text(pl.read_parquet(layout.path)).write_csv(text)
        return read_catalogue_file(text, entry)


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List | pl.Array)]
    as_json = (
        pl.col(name).map_elements(lambda one: json.dumps(one.to_list(), default=str), pl.String()) for name in lists
    )
    texts = frame.with_columns(as_json)
    plain = [name for name, kind in texts.schema.items() if not kind.is_nested() and kind != pl.Object]
    return texts.select(pl.col(plain).cast(pl.String, strict=False))
