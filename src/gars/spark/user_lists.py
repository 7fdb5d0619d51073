"""Interactions spread over the cluster, each user's in one piece; a piece is the matrix that training fits on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyspark import RDD, StorageLevel
from pyspark.sql import DataFrame, SparkSession

from gars.domain.errors import DataError
from gars.retrieval.matrix import TrainingMatrix, from_rows

Columns = tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float32]]
"""User (numbers, or the service's own ids), item (any ids), rating with NaN for none: all (rows,)."""


@dataclass(frozen=True, slots=True, eq=False)
class UserLists:
    """The lists of all users in pieces."""

    pieces: RDD[TrainingMatrix]
    """Rows are some of the users; columns are ``item_ids``."""
    item_ids: NDArray[np.int64]
    """(n,) ascending."""
    viewers: NDArray[np.int64]
    """(n,) number of lists with a preference for each title."""
    n_users: int
    rows: int


def read(spark: SparkSession, files: Sequence[Path], *, pieces: int) -> DataFrame:
    """Interactions in the normal form, users spread over ``pieces``; raises ``DataError`` without any."""
    if not files:
        raise DataError("the data set has no interactions", hint="make one with: gars data build")
    frame = spark.read.parquet(*[str(file) for file in files])
    return frame.select("user_id", "anime_id", "rating").repartition(pieces, "user_id")


def gather(frame: DataFrame) -> UserLists:
    """The lists of a frame with ``user_id, anime_id, rating``; one row a pair, each user in one partition."""
    columns = frame.rdd.mapPartitions(_columns).persist(StorageLevel.MEMORY_AND_DISK)
    seen = columns.map(lambda one: (np.unique(one[1]), len(np.unique(one[0])), len(one[1]), np.isfinite(one[2]).any()))
    found = seen.collect()
    if not found:
        raise DataError("the data set has no interactions", hint="make one with: gars data build")
    item_ids = np.unique(np.concatenate([ids for ids, *_ in found]))
    unrated = 0.5 if any(rated for *_, rated in found) else 1.0
    shared = frame.sparkSession.sparkContext.broadcast(item_ids)
    pieces = columns.map(lambda one: _piece(one, shared.value, unrated)).persist(StorageLevel.MEMORY_AND_DISK)
    n_items = len(item_ids)
    viewers = pieces.map(lambda one: np.bincount(one.graded().indices, minlength=n_items)).reduce(np.add)
    columns.unpersist()
    return UserLists(
        pieces, item_ids, np.asarray(viewers, np.int64), sum(n for _, n, *_ in found), sum(n for _, _, n, _ in found)
    )


def _columns(rows: Iterable[Any]) -> Iterator[Columns]:
    listed = [(row[0], row[1], np.nan if row[2] is None else row[2]) for row in rows]
    if listed:
        user, item, rating = zip(*listed, strict=True)
        yield np.array(user), np.array(item, np.int64), np.array(rating, np.float32)


def _piece(columns: Columns, item_ids: NDArray[np.int64], unrated: float) -> TrainingMatrix:
    user, item, rating = columns
    users, rows = np.unique(user, return_inverse=True)
    return from_rows(
        rows.astype(np.int64),
        np.searchsorted(item_ids, item).astype(np.int64),
        rating,
        n_users=len(users),
        n_items=len(item_ids),
        unrated=unrated,
    )
