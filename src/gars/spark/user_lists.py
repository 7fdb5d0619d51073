"""Interactions spread over the cluster, each user's in one piece; a piece is the matrix that training fits on."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark import RDD, StorageLevel
from pyspark.sql import DataFrame, SparkSession

from gars.domain.errors import DataError
from gars.retrieval.matrix import TrainingMatrix, from_rows

Columns = tuple[NDArray[np.int32], int, NDArray[np.int64], NDArray[np.float32]]
"""User of each row by number, number of users, item by id, rating with NaN for none."""


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
    packed = frame.mapInArrow(_pack, "columns binary").rdd
    columns = packed.map(lambda row: pickle.loads(row[0])).persist(StorageLevel.MEMORY_AND_DISK)
    seen = columns.map(lambda one: (np.unique(one[2]), one[1], len(one[2]), bool(np.isfinite(one[3]).any())))
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


def _pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a partition as one value, if there are any: no row becomes an object of Python."""
    found = list(batches)
    if sum(len(batch) for batch in found):
        table = pa.Table.from_batches(found).combine_chunks()
        users = table["user_id"].combine_chunks().dictionary_encode()
        rating = table["rating"].cast(pa.float32()).fill_null(float("nan")).to_numpy()
        columns: Columns = (
            users.indices.to_numpy(), len(users.dictionary), table["anime_id"].cast(pa.int64()).to_numpy(), rating
        )  # fmt: skip
        packed = pickle.dumps(columns, protocol=pickle.HIGHEST_PROTOCOL)
        yield pa.RecordBatch.from_arrays([pa.array([packed], pa.binary())], ["columns"])


def _piece(columns: Columns, item_ids: NDArray[np.int64], unrated: float) -> TrainingMatrix:
    user, n_users, item, rating = columns
    return from_rows(
        user.astype(np.int64),
        np.searchsorted(item_ids, item).astype(np.int64),
        rating,
        n_users=n_users,
        n_items=len(item_ids),
        unrated=unrated,
    )
