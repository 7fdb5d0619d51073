"""Item-kNN: cosine between the columns of inverse-user-frequency weighted lists, sharpened and cut to k neighbours.

Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001; the user weighting is the
inverse user frequency of Breese et al., UAI 1998. Cost: one sparse Gram matrix. Fails for items with few viewers:
their cosine is noise.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from gars.retrieval import two_steps
from gars.retrieval.compact import compact
from gars.retrieval.item_to_item import ItemToItem


def weighted(matrix: sp.csr_array) -> sp.csr_array:
    """Each user's weights times 1/√(length of their list), float64. (users, items) → (users, items)"""
    degree = np.maximum(1, np.diff(matrix.indptr))
    return sp.csr_array(sp.diags_array(degree**-0.5).tocsr() @ matrix)


def cosine(matrix: sp.csr_array, *, k: int = 50) -> sp.csr_array:
    """Compute the ``k`` largest cosines of each item with others, each user weighted by 1/√(length of their list).

    (users, items) → (items, items)
    """
    lists = weighted(matrix)
    norm = np.sqrt(np.asarray(lists.multiply(lists).sum(axis=0)))
    unit = lists @ sp.diags_array(np.divide(1, norm, out=np.zeros_like(norm), where=norm > 0))
    by_user = compact(sp.csr_array(unit).astype(np.float32))
    by_item = compact(sp.csr_array(by_user.T.tocsr()))
    return two_steps.largest_products(by_item, by_user, k=k)


def from_cosine(similarity: sp.csr_array, *, power: float = 2.0) -> ItemToItem:
    """Sharpen the cosines of ``cosine`` by a power."""
    sharpened = similarity.copy()
    sharpened.data **= power
    return ItemToItem("item_knn", sharpened)


def fit(matrix: sp.csr_array, *, k: int = 50, power: float = 2.0) -> ItemToItem:
    """Fit on (users, items) weights."""
    return from_cosine(cosine(matrix, k=k), power=power)
