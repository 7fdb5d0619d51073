"""Two-step walks: item → user → item, with powers of the degrees chosen by validation. One formula, several models.

``weight[i, j] = (d_i^-a · d_j^-b · Σ_u x_ui · x_uj · d_u^-c)^p``. With a = 1, c = 1 and b = β it is RP3β (Paudel
et al., "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications", TiiS 2017); with
a = b = ½, c = 1 and p = 1 the linear filter of GF-CF (Shen et al., "How Powerful is Graph Convolution for
Recommendation?", CIKM 2021); the power p is that of Turbo-CF (Park et al., SIGIR 2024). Rows are computed one at a time
and cut to the largest weights, so memory grows with items × neighbours, never with items². Time grows with the sum of
squared list lengths.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.kernels import cooccurrence
from gars.kernels.neighbours import CSR
from gars.retrieval.compact import compact, csr_of

Floats = NDArray[np.float32]
Places = NDArray[np.int32]

BLOCK = 256
"""Rows computed at a time by each thread."""


class Powers(msgspec.Struct, frozen=True, kw_only=True):
    """Exponents of the formula above."""

    source: float = 0.5
    """a, of the degree of the user's item."""
    target: float = 0.5
    """b, of the degree of the item that is scored."""
    user: float = 0.5
    """c, of the length of the lists in between."""
    sharpen: float = 1.0
    """p, of the weight itself."""


def fit(matrix: sp.csr_array, powers: Powers, *, keep: int) -> sp.csr_array:
    """The ``keep`` largest weights of each item of a (users, items) matrix of weights. → (items, items)"""
    places, values = nearest(matrix, powers, keep)
    return from_places(places, values ** np.float32(powers.sharpen))


def nearest(matrix: sp.csr_array, powers: Powers, keep: int) -> tuple[Places, Floats]:
    """The ``keep`` items of largest weight for each item, ascending, -1 pads, and the weights. → (items, keep) each"""
    n = int(matrix.shape[1])
    degree = np.maximum(1, np.bincount(matrix.indices, minlength=n)).astype(np.float32)
    users, items = both_directions(matrix, powers.user)
    scale = degree ** np.float32(-powers.target)
    places, values = _largest(items, users, scale, keep)
    values *= (degree ** np.float32(-powers.source))[:, None]
    return places, values


def largest_products(left: sp.csr_array, right: sp.csr_array, *, k: int, scale: Floats | None = None) -> sp.csr_array:
    """Compute the ``k`` largest positive entries of each row of ``left @ right * scale``, without the diagonal.

    (n, m), (m, n), (n,) → (n, n), on all cores, without ever holding the whole product.
    """
    scale = np.ones(int(left.shape[0]), np.float32) if scale is None else scale
    return from_places(*_largest(csr_of(left), csr_of(right), scale, k))


def _largest(left: CSR, right: CSR, scale: Floats, k: int) -> tuple[Places, Floats]:
    """See ``nearest``."""
    n = len(scale)
    places, values = np.full((n, k), -1, np.int32), np.zeros((n, k), np.float32)

    def block(start: int) -> None:
        rows = slice(start, min(n, start + BLOCK))
        cooccurrence.two_step_neighbours(
            left, right, scale, np.arange(rows.start, rows.stop), places[rows], values[rows]
        )

    in_blocks(block, range(0, n, BLOCK))
    return places, values


def both_directions(matrix: sp.csr_array, user_power: float) -> tuple[CSR, CSR]:
    """Items of each user and users of each item, every entry times (list length)^(-power / 2)."""
    degree = np.maximum(1, np.diff(matrix.indptr))
    weighted = sp.csr_array(sp.diags_array((degree ** (-user_power / 2)).astype(np.float32)) @ matrix)
    weighted.sort_indices()
    return csr_of(compact(weighted)), csr_of(compact(sp.csr_array(weighted.T.tocsr())))


def from_places(places: Places, values: Floats) -> sp.csr_array:
    """A sparse (n, n) matrix of the columns ``places`` (n, k), -1 pads, and their values (n, k)."""
    inside = places >= 0
    indptr = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
    return sp.csr_array((values[inside], places[inside], indptr), shape=(len(places), len(places)))


def in_blocks(work: Callable[[int], None], starts: range) -> None:
    """Call ``work`` with each start, on all cores; blocks write to different places, so the order is of no matter."""
    with ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1)) as pool:
        for _ in pool.map(work, starts):
            pass
