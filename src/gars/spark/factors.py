"""iALS by Spark's blockwise ALS: user factors never have to fit on one machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pyspark.ml.recommendation import ALS
from pyspark.sql import SparkSession
from pyspark.sql.types import FloatType, IntegerType, StructField, StructType

from gars.retrieval import ials
from gars.retrieval.matrix import TrainingMatrix
from gars.spark.user_lists import UserLists

_RATINGS = StructType(
    [StructField("user", IntegerType()), StructField("item", IntegerType()), StructField("strength", FloatType())]
)


def fit(spark: SparkSession, lists: UserLists, *, dim: int, seed: int, blocks: int) -> ials.Factors:
    """Item factors with the weights of ``retrieval.ials``; its fold-in works with them.

    Spark multiplies the regularisation by the length of each list, and the embedded trainer does not. Divided by the
    mean length it is the same on average: weaker for short lists and rare titles, stronger for long ones.
    """
    sizes = lists.pieces.map(lambda one: one.n_users).collect()
    first = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    rows = lists.pieces.zipWithIndex().flatMap(lambda one: _rows(one[0], first[one[1]]))
    n_items, entries = len(lists.item_ids), int(lists.viewers.sum())
    model = ALS(
        rank=min(dim, n_items, lists.n_users),
        maxIter=ials.ITERATIONS,
        regParam=ials.L2 * lists.n_users / max(1, entries),
        alpha=ials.ALPHA,
        implicitPrefs=True,
        numUserBlocks=blocks,
        numItemBlocks=blocks,
        seed=seed,
        userCol="user",
        itemCol="item",
        ratingCol="strength",
    ).fit(spark.createDataFrame(rows, _RATINGS))
    found = model.itemFactors.collect()
    items: NDArray[np.float32] = np.zeros((n_items, len(found[0][1]) if found else 1), np.float32)
    for item, factors in found:
        items[item] = factors
    gram = items.T @ items + np.float32(ials.L2) * np.eye(items.shape[1], dtype=np.float32)
    return ials.Factors(items, gram)


def _rows(piece: TrainingMatrix, first_user: int) -> Iterator[tuple[int, int, float]]:
    graded = piece.graded().tocoo()
    yield from zip((graded.row + first_user).tolist(), graded.col.tolist(), graded.data.tolist(), strict=True)
