"""Sample an interactions file before it is read: number of rows, user ids, numbers or names."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gars.datasets.identifiers import parse_id
from gars.datasets.readers.dialects import Columns, Layout

_PLACES = 64
_BYTES = 1 << 16
_ROWS = 4096
_ANY_USERS = frozenset({"plain", "kaggle-2016"})
"""Dialects with generic headers, so user ids may be numbers or names."""


@dataclass(frozen=True, slots=True, eq=False)
class FileSample:
    """Estimates from a sample of the file."""

    rows: int
    """Estimated rows of the whole file."""
    user_ids: NDArray[np.int64]
    """The numbers among the user ids seen."""
    named: bool
    """True if user ids are names: given by the dialect, or most of a plain file's first ones are no numbers."""


def look_at(layout: Layout) -> FileSample:
    """Sample ``layout`` (interactions) at evenly spaced positions."""
    assert layout.columns is not None
    if layout.path.suffix == ".parquet":
        return _look_at_parquet(layout, layout.columns)
    size = layout.path.stat().st_size
    place = layout.header.index(layout.columns.user)
    users: list[str] = []
    seen_bytes = seen_lines = 0
    first: list[str] = []
    with layout.path.open("rb") as file:
        for start in np.linspace(0, max(0, size - _BYTES), _PLACES if size > _BYTES else 1).astype(int):
            file.seek(int(start))
            lines = file.read(_BYTES).split(b"\n")
            whole = lines[1:-1] if start or layout.has_header else lines[:-1]
            seen_bytes += sum(map(len, whole)) + len(whole)
            seen_lines += len(whole)
            text = "\n".join(line.decode("utf-8", "replace") for line in whole)
            cells = (
                (line.split("::") for line in text.split("\n")) if layout.separator == "::" else _cells(layout, text)
            )
            found = [row[place].strip() for row in cells if len(row) == len(layout.header)]
            first = first or found
            users += found
    numbers = [number for user in users if (number := parse_id(user)) is not None]
    rows = round(size * seen_lines / seen_bytes) if seen_bytes else 0
    strange = sum(parse_id(user.removeprefix("-")) is None for user in first)
    named = layout.columns.named or (layout.dialect in _ANY_USERS and 2 * strange > len(first))
    return FileSample(rows, np.array(numbers, np.int64), named)


def _cells(layout: Layout, text: str) -> list[list[str]]:
    return list(csv.reader(text.split("\n"), delimiter=layout.separator, quoting=layout.quoting))


def _look_at_parquet(layout: Layout, columns: Columns) -> FileSample:
    user = columns.user
    lazy = pl.scan_parquet(layout.path).select(user)
    rows = int(lazy.select(pl.len()).collect().item())
    head = _numbers(lazy.head(_ROWS).collect()[user])
    named = columns.named or 2 * head.null_count() > len(head)
    starts = sorted({int(start) for start in np.linspace(0, max(0, rows - _ROWS), _PLACES)})
    taken = (
        pl.concat([lazy.slice(start, _ROWS).collect() for start in starts])[user]
        if rows
        else pl.Series([], dtype=pl.Int64)
    )
    return FileSample(rows, _numbers(taken).drop_nulls().to_numpy(), named)


def _numbers(users: pl.Series) -> pl.Series:
    if users.dtype.is_integer():
        return users.cast(pl.Int64, strict=False)
    words = users.cast(pl.Binary).cast(pl.String, strict=False) if users.dtype == pl.Binary else users.cast(pl.String)
    return pl.Series([parse_id(word) if word is not None else None for word in words.to_list()], dtype=pl.Int64)
