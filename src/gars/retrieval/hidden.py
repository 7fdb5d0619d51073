"""A fitted stage one with the viewers of some items hidden, so that the ranker learns from titles without viewers.

After Volkovs et al., "DropoutNet: Addressing Cold Start in Recommender Systems", NeurIPS 2017. The other items keep
every weight, so the ranker meets them as they are in serving.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.retrieval.ials import Factors
from gars.retrieval.item_to_item import ItemToItem
from gars.retrieval.retriever import BY_CATALOGUE, Retriever
from gars.retrieval.user_knn import UserKnn


def hide_viewers(retriever: Retriever, rows: NDArray[np.int64]) -> Retriever:
    """Return the retriever without the lists' data of the items at ``rows``; channels of the catalogue keep them."""
    seen = np.ones(len(retriever.items), np.float32)
    seen[rows] = 0
    channels = (
        channel
        if channel.name in BY_CATALOGUE
        else ItemToItem(channel.name, _of_columns(channel.weights, seen))
        for channel in retriever.channels
    )  # fmt: skip
    return replace(
        retriever,
        items=retriever.items.without_viewers(rows),
        channels=tuple(channels),
        factors=Factors(retriever.factors.items * seen[:, None], retriever.factors.gram),
        neighbours=UserKnn(retriever.neighbours.users, _of_columns(retriever.neighbours.lists, seen)),
        popularity=retriever.popularity * seen,
        vectors=retriever.vectors * seen[:, None],
    )


def _of_columns(matrix: sp.csr_array, seen: NDArray[np.float32]) -> sp.csr_array:
    """Return the matrix with the entries of the seen columns (n,) alone."""
    kept = seen[matrix.indices] > 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return sp.csr_array((matrix.data[kept], matrix.indices[kept], before[matrix.indptr]), shape=matrix.shape)
