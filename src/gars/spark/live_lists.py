"""Read interactions from Cassandra: each task reads one token range, and each user is in one range."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial, reduce

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import FloatType, LongType, StringType, StructField, StructType

from gars.adapters.cassandra import ring
from gars.adapters.cassandra.address import CassandraAddress
from gars.adapters.cassandra.connection import Connection
from gars.adapters.cassandra.history import CassandraHistory
from gars.domain import history, user_state
from gars.domain.user_state import UserState

_LISTS = StructType(
    [
        StructField("user_id", StringType(), False),
        StructField("anime_id", LongType(), False),
        StructField("rating", FloatType()),
    ]
)


def read(spark: SparkSession, address: CassandraAddress, *, pieces: int) -> DataFrame:
    """Build the users' lists from their events, partitioned into ``pieces``; persisted, since it is read repeatedly."""
    ranges = spark.sparkContext.parallelize(ring.pieces(pieces), pieces)
    frame = spark.createDataFrame(ranges.flatMap(partial(_rows, address)), _LISTS)
    return frame.persist(StorageLevel.MEMORY_AND_DISK)


def _rows(address: CassandraAddress, between: tuple[int, int]) -> Iterator[tuple[str, int, float | None]]:
    """Yield the interaction rows of the users of one token range, from their states."""
    with closing(CassandraHistory(Connection(address))) as events:
        for user_id, own in events.read_between(*between):
            state = reduce(user_state.apply, (event for _, event in own), UserState(user_id=user_id))
            known = history.from_state(state)
            has_value = (known.weights > 0) | np.isfinite(known.ratings)
            for anime_id, rating in zip(
                known.anime_ids[has_value].tolist(), known.ratings[has_value].tolist(), strict=True
            ):
                yield user_id, anime_id, None if np.isnan(rating) else rating
