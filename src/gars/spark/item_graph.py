"""The weighted item graph: a Gram matrix is a sum over users, so every piece of them adds its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.retrieval import graph, item_knn
from gars.retrieval.item_to_item import keep_largest_sparse, no_edges
from gars.retrieval.matrix import TrainingMatrix
from gars.spark.user_lists import UserLists

BLOCK = 512
"""Rows of the Gram matrix that one task sums."""

Block = tuple[int, sp.csr_array]
"""Its number, and its rows (≤ BLOCK, n)."""


def build(lists: UserLists, *, min_count: int, k: int = 50) -> sp.csr_array:
    """``retrieval.graph.build`` of ``item_knn.cosine``: same edges, weights equal but for the order of the sums."""
    n = len(lists.item_ids)
    head = np.flatnonzero(lists.viewers >= min_count)
    blocks = lists.pieces.flatMap(lambda piece: _partial(piece, head)).reduceByKey(lambda a, b: a + b).cache()
    context = lists.pieces.context
    norms = np.zeros(n)
    for number, squares in blocks.map(lambda one: (one[0], _diagonal(one))).collect():
        norms[number * BLOCK : number * BLOCK + len(squares)] = np.sqrt(squares)
    shared = context.broadcast(np.divide(1, norms, out=np.zeros(n), where=norms > 0))
    kept = dict(blocks.map(lambda one: (one[0], keep_largest_sparse(_cosine(one, shared.value), k))).collect())
    blocks.unpersist()
    rows = [kept.get(start // BLOCK, no_edges(n)[start : start + BLOCK]) for start in range(0, n, BLOCK)]
    return graph.build(sp.csr_array(sp.vstack(rows, format="csr")))


def _partial(piece: TrainingMatrix, head: NDArray[np.int64]) -> Iterator[Block]:
    """Compute the contribution of some users to each block of the Gram matrix."""
    lists = item_knn.weighted(piece.of_items(head))
    by_item = sp.csr_array(lists.T)
    for start in range(0, piece.n_items, BLOCK):
        rows = sp.csr_array(by_item[start : start + BLOCK] @ lists)
        if rows.nnz:
            yield start // BLOCK, rows


def _diagonal(block: Block) -> NDArray[np.float64]:
    number, rows = block
    return np.asarray(rows[:, number * BLOCK :].diagonal(), np.float64)


def _cosine(block: Block, inverse_norms: NDArray[np.float64]) -> sp.csr_array:
    """The rows of a block as cosines, without those of an item with itself."""
    number, gram = block
    coo = gram.tocoo()
    own = coo.row + number * BLOCK
    others = own != coo.col
    row, column = coo.row[others], coo.col[others]
    cosines = (coo.data[others] * inverse_norms[own[others]] * inverse_norms[column]).astype(np.float32)
    return sp.csr_array((cosines, (row, column)), shape=gram.shape)
