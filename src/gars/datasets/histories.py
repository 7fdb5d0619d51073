"""The users of a data set, one at a time, each with all their rows."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from gars.datasets.dataset import Dataset
from gars.domain.user_state import Row


def histories(dataset: Dataset) -> Iterator[tuple[str, list[Row]]]:
    """Yield ``(user id, rows)`` in the order of the data set, oldest row first where there are times.

    Holds one part file in memory. A user whose rows cross from one part to the next comes out whole.
    """
    user: int | None = None
    rows: list[Row] = []
    for part in dataset.parts():
        ordered = pl.read_parquet(part).sort("user_id", "time", maintain_order=True)
        frame = ordered.with_columns(pl.col("time").dt.epoch("ms"))
        for (user_id,), group in frame.group_by(["user_id"], maintain_order=True):
            if user_id != user:
                if user is not None:
                    yield str(user), rows
                user, rows = int(user_id), []
            columns = (group[name].to_list() for name in ("anime_id", "rating", "status", "time"))
            rows.extend(map(Row, *columns))
    if user is not None:
        yield str(user), rows
