"""DeepWalk on Spark: walks from pieces of the nodes over one broadcast graph, read by Spark's Word2Vec."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pyspark import RDD
from pyspark.ml.feature import Word2Vec
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from gars.retrieval import deepwalk

_SENTENCES = StructType([StructField("walk", ArrayType(StringType(), False), False)])


def walks(
    spark: SparkSession, graph: sp.csr_array, *, seed: int, per_node: int, length: int, pieces: int
) -> RDD[NDArray[np.int32]]:
    """``retrieval.deepwalk.walks`` a piece of the start nodes each, with a generator of its own. → (m, length) each"""
    context = spark.sparkContext
    shared = context.broadcast(graph)
    starts = np.array_split(np.flatnonzero(np.diff(graph.indptr)), pieces)
    numbered = [(number, part) for number, part in enumerate(starts) if len(part)]
    return context.parallelize(numbered, max(1, len(numbered))).map(
        lambda one: deepwalk.walks(
            shared.value, np.random.default_rng([seed, one[0]]), per_node=per_node, length=length, starts=one[1]
        )
    )


def vectors(
    spark: SparkSession,
    paths: RDD[NDArray[np.int32]],
    n_items: int,
    *,
    seed: int,
    dim: int,
    epochs: int,
    window: int = 2,
    pieces: int = 1,
) -> NDArray[np.float32]:
    """Skip-gram vectors of the items on walks; zeros for one that no walk met. → (n_items, dim)

    Spark's Word2Vec uses a hierarchical softmax where the embedded trainer draws negatives: near items are near in
    both, the numbers are not the same. Each of ``pieces`` learns by itself, and they are averaged every epoch.
    """
    sentences = spark.createDataFrame(
        paths.flatMap(lambda some: [([*map(str, walk)],) for walk in some.tolist()]), _SENTENCES
    )
    model = Word2Vec(
        vectorSize=dim,
        windowSize=window,
        minCount=1,
        maxIter=epochs,
        numPartitions=pieces,
        seed=seed,
        inputCol="walk",
        outputCol="vector",
    ).fit(sentences)
    made = np.zeros((n_items, dim), np.float32)
    for word, vector in model.getVectors().collect():
        made[int(word)] = vector.toArray()
    return made
