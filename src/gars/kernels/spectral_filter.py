"""Scores of the spectral filter for the pools of many users: products of a user's vector with the items'."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled
from gars.kernels.pools import SMALLEST_SCALE, Lists

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LANES = 8
"""Partial sums of a dot product, so that the compiler handles as many products at a time."""


def _filter_scores(source: Floats, target: Floats, lists: Lists, pools: Ints, wanted: Ints, scores: Floats) -> None:
    m, rank = pools.shape[1], source.shape[1]
    for one in range(len(pools)):
        own = slice(lists.starts[one], lists.starts[one + 1])
        user, pool = np.zeros(rank, np.float32), pools[one][pools[one] >= 0]
        for row, weight in zip(lists.rows[own], lists.weights[own], strict=True):
            user += source[row] * weight
        items = np.append(pool, wanted)
        products = np.zeros((len(items), -(-rank // LANES) * LANES), np.float32)
        products[:, :rank] = target[items] * user
        lanes = np.zeros((len(items), LANES), np.float32)
        for start in range(0, products.shape[1], LANES):
            lanes += products[:, start : start + LANES]
        total = np.zeros(len(items), np.float32)
        for lane in lanes.T:
            total += lane
        total /= np.maximum(np.abs(total[: len(pool)]).max(initial=0), SMALLEST_SCALE)
        scores[one] = 0
        scores[one, : len(pool)], scores[one, m:] = total[: len(pool)], total[len(pool) :]


@compiled(plain=_filter_scores)
def filter_scores(source: Floats, target: Floats, lists: Lists, pools: Ints, wanted: Ints, scores: Floats) -> None:
    """Write the filter's scores of b users for ``pools`` (b, m), 0 at pads, and ``wanted`` items to ``scores``.

    The score of item j is ``target[j] · Σ_i weights[i] · source[i]`` over the user's items, ``source`` and ``target``
    are (n, r), divided by the largest absolute score in the pool, at least ``SMALLEST_SCALE``. ``scores`` is
    (b, m + w), in which each row is of adjacent numbers.
    """
    m, rank = pools.shape[1], source.shape[1]
    user = np.empty(rank, np.float32)
    for one in range(len(pools)):
        user[:] = 0
        for i in range(lists.starts[one], lists.starts[one + 1]):
            row, weight = lists.rows[i], lists.weights[i]
            for d in range(rank):
                user[d] += source[row, d] * weight
        scores[one] = 0
        largest = SMALLEST_SCALE
        for i in range(m):
            if pools[one, i] >= 0:
                score = _dot(target, pools[one, i], user)
                scores[one, i] = score
                largest = max(largest, abs(score))
        for i in range(len(wanted)):
            scores[one, m + i] = _dot(target, wanted[i], user)
        for i in range(scores.shape[1]):
            scores[one, i] /= largest


@Subroutine
def _dot(rows: Floats, row: int, vector: Floats) -> np.float32:
    """Return the dot product of a row and a vector (r,), summed in ``LANES`` parts."""
    rank = len(vector)
    whole = rank // LANES * LANES
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
    for d in range(0, whole, LANES):
        s0 += rows[row, d] * vector[d]
        s1 += rows[row, d + 1] * vector[d + 1]
        s2 += rows[row, d + 2] * vector[d + 2]
        s3 += rows[row, d + 3] * vector[d + 3]
        s4 += rows[row, d + 4] * vector[d + 4]
        s5 += rows[row, d + 5] * vector[d + 5]
        s6 += rows[row, d + 6] * vector[d + 6]
        s7 += rows[row, d + 7] * vector[d + 7]
    lanes = (s0, s1, s2, s3, s4, s5, s6, s7)
    total = np.float32(0)
    for lane in range(LANES):
        part = np.float32(lanes[lane])
        if whole + lane < rank:
            part += rows[row, whole + lane] * vector[whole + lane]
        total += part
    return total
