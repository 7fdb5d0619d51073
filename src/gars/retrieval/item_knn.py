"""Item-kNN: cosine between the columns of inverse-user-frequency weighted lists, sharpened and cut to k neighbours.

Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001; the user weighting is the
inverse user frequency of Breese et al., UAI 1998. Cost: one sparse Gram matrix. Fails for items with few viewers:
their cosine is noise.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from gars.retrieval.item_to_item import ItemToItem, keep_largest_sparse


def weighted(matrix: sp.csr_array) -> sp.csr_array:
    """Each user's weights times 1/√(length of their list), float64. (users, items) → (users, items)"""
    degree = np.maximum(1, np.diff(matrix.indptr))
    return sp.csr_array(sp.diags_array(degree**-0.5).tocsr() @ matrix)


def cosine(matrix: sp.csr_array) -> sp.csr_array:
    """Cosine between items, each user weighted by 1/√(length of their list); zero diagonal. → (items, items)"""
    lists = weighted(matrix)
    norm = np.sqrt(np.asarray(lists.multiply(lists).sum(axis=0)))
    unit = lists @ sp.diags_array(np.divide(1, norm, out=np.zeros_like(norm), where=norm > 0))
    gram = sp.csr_array(unit.T @ unit)
    gram.setdiag(0)
    gram.eliminate_zeros()
    return gram.astype(np.float32)


def from_cosine(similarity: sp.csr_array, *, k: int = 50, power: float = 2.0) -> ItemToItem:
    """The k nearest of each item; ``power`` sharpens the cosine."""
    sharpened = similarity.copy()
    sharpened.data **= power
    return ItemToItem("item_knn", keep_largest_sparse(sharpened, k))


def fit(matrix: sp.csr_array, *, k: int = 50, power: float = 2.0) -> ItemToItem:
    """Fit on (users, items) weights."""
    return from_cosine(cosine(matrix), k=k, power=power)
