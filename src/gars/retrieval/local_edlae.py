"""EDLAE with neighbourhoods: each item is regressed on the items it occurs with most, not on all items.

The loss is that of ``edlae`` (Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020), the
restriction that of fsSLIM (Ning & Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011): one
ridge regression of k variables for each item. Time grows with items · k³ and k times the sum of squared list lengths,
memory with items · k, where the full model needs items³ and items². So no item has to be left out.
"""

from __future__ import annotations

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.kernels import cooccurrence
from gars.retrieval.two_steps import Powers, both_directions, from_places, in_blocks, nearest

Floats = NDArray[np.float32]

BLOCK = 64
"""Regressions solved at a time by each thread: as many Gram matrices are held."""


class EdlaeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the regression."""

    neighbours: int = 100
    """Variables of each regression."""
    l2: float = 1.0
    dropout: float = 0.3
    user_power: float = 0.3
    """Users are weighted by (list length)^-power."""
    popularity_power: float = 0.2
    """The weights that lead to an item are divided by (its users)^power."""


def fit(matrix: sp.csr_array, config: EdlaeConfig) -> sp.csr_array:
    """Fit on (users, items) weights. → (items, items), column j holds the regression of item j"""
    n, k = int(matrix.shape[1]), config.neighbours
    users, items = both_directions(matrix, config.user_power)
    members, _ = nearest(matrix, Powers(user=config.user_power), k)
    weights = np.zeros((n, k), np.float32)

    def block(start: int) -> None:
        own = np.arange(start, min(n, start + BLOCK), dtype=np.int32)
        groups = np.hstack([members[own], own[:, None]])
        grams = np.zeros((len(own), k + 1, k + 1), np.float32)
        cooccurrence.local_grams(items, users, n, groups, grams)
        weights[own] = solve(grams, config)

    in_blocks(block, range(0, n, BLOCK))
    counts = np.maximum(1, np.asarray(matrix.sum(axis=0), np.float32))
    weights *= (counts ** np.float32(-config.popularity_power))[:, None]
    return sp.csr_array(from_places(members, weights).T.tocsr())


def solve(grams: Floats, config: EdlaeConfig) -> Floats:
    """The regression of the last item of each Gram matrix on the others. (b, k + 1, k + 1) → (b, k)

    An empty row, of an item that pads its group, has the weight 0.
    """
    left, right = grams[:, :-1, :-1].copy(), grams[:, :-1, -1]
    diagonal = np.einsum("bii->bi", left)
    diagonal += config.dropout / (1 - config.dropout) * diagonal + config.l2
    return np.asarray(np.linalg.solve(left, right[..., None])[..., 0], np.float32)
