"""The users of a data set, one at a time, each with all their rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import polars as pl

from gars.datasets.dataset import Dataset
from gars.domain.user_state import Row

_SLICE = 100_000
"""Rows in memory as Python objects."""


def histories(dataset: Dataset) -> Iterator[tuple[str, list[Row]]]:
    """Yield ``(user id, rows)`` in the order of the data set, oldest row first where there are times.

    Holds one part file in memory. A user whose rows cross from one part to the next comes out whole.
    """
    for user_id, rows in groupby(_rows(dataset), key=itemgetter(0)):
        yield str(user_id), [row for _, row in rows]


def _rows(dataset: Dataset) -> Iterator[tuple[int, Row]]:
    for part in dataset.parts():
        ordered = pl.read_parquet(part).sort("user_id", "time", maintain_order=True)
        for piece in ordered.with_columns(pl.col("time").dt.epoch("ms")).iter_slices(_SLICE):
            columns = (piece[name].to_list() for name in ("anime_id", "rating", "status", "time"))
            yield from zip(piece["user_id"].to_list(), map(Row, *columns), strict=True)
