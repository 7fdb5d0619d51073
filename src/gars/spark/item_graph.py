"""The weighted item graph: a Gram matrix is a sum over users, so every task adds up that of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.retrieval import graph, item_knn
from gars.retrieval.compact import compact
from gars.retrieval.item_to_item import keep_largest, no_edges
from gars.spark.user_lists import UserLists

BLOCK_BYTES = 8_000_000
"""Of a block of rows of the Gram matrix: what a task holds, and sends to the one that sums the block."""

Block = tuple[int, NDArray[np.float32] | sp.csr_array]
"""Number of its first row, and its rows (b, n), sparse if most are zero."""


def build(lists: UserLists, *, min_count: int, k: int = 50) -> sp.csr_array:
    """``retrieval.graph.build`` of ``item_knn.cosine``: same edges, weights equal but for the order of the sums."""
    n = len(lists.item_ids)
    head = np.flatnonzero(lists.viewers >= min_count)
    weighted = lists.pieces.map(lambda piece: item_knn.weighted(piece.of_items(head)))
    norms = np.sqrt(weighted.map(lambda one: np.bincount(one.indices, one.data**2, minlength=n)).reduce(np.add))
    context = lists.pieces.context
    shared = context.broadcast(np.divide(1, norms, out=np.zeros(n), where=norms > 0).astype(np.float32))
    rows = max(1, BLOCK_BYTES // (4 * n))
    # one task a core: what is sent is a Gram matrix for each task, not for each piece
    tasks = weighted.coalesce(min(weighted.getNumPartitions(), context.defaultParallelism))
    blocks = tasks.mapPartitions(lambda own: _gram(own, rows)).partitionBy(-(-n // rows), lambda first: first // rows)
    kept = dict(blocks.mapPartitions(lambda parts: _neighbours(parts, shared.value, k)).collect())
    nothing = no_edges(n)  # for blocks that no user's list reaches
    found = [kept.get(first, nothing[first : first + rows]) for first in range(0, n, rows)]
    return graph.build(sp.csr_array(sp.vstack(found, format="csr")))


def _gram(pieces: Iterable[sp.csr_array], rows: int) -> Iterator[Block]:
    """Yield the Gram matrix of some users' lists (u, n), ``rows`` of it at a time."""
    own = list(pieces)
    if not own:
        return
    lists = compact(sp.csr_array(sp.vstack(own, format="csr", dtype=np.float32)))
    by_item = compact(sp.csr_array(lists.T.tocsr()))
    for first in range(0, lists.shape[1], rows):
        block = sp.csr_array(by_item[first : first + rows] @ lists)
        yield first, block.toarray() if 2 * block.nnz > np.prod(block.shape) else block


def _neighbours(
    parts: Iterable[Block], inverse_norms: NDArray[np.float32], k: int
) -> Iterator[tuple[int, sp.csr_array]]:
    """Sum the parts of one block, and yield the k largest cosines of each item with others."""
    first, total = 0, None
    for start, part in parts:
        rows = part.toarray() if isinstance(part, sp.csr_array) else part
        first, total = start, rows if total is None else total + rows
    if total is not None:
        own = np.arange(len(total))
        cosines = total * inverse_norms[first + own, None] * inverse_norms
        cosines[own, first + own] = 0
        yield first, keep_largest(cosines, k)
