"""Fold a user into a matrix factorisation by conjugate gradients (Hestenes & Stiefel, 1952).

In the basis where the Gram matrix of all items is the identity, the matrix of a user's normal equations has eigenvalues
from 1 to 1 + the largest confidence: some ten iterations suffice however long the list is, and no matrix is factored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _fold_in(
    factors: Floats, place: NDArray[np.int32], rows: Ints, confidence: Floats, tolerance: float, most: int, out: Floats
) -> None:
    own = factors[place[rows]]
    residual = (1 + confidence) @ own
    direction, square = residual, residual @ residual
    out[:], enough = 0, np.float32(tolerance**2) * square
    for _ in range(most):
        if square <= enough:
            return
        product = direction + (confidence * (own @ direction)) @ own
        step = square / (direction @ product)
        out += step * direction
        residual = residual - step * product
        before, square = square, residual @ residual
        direction = residual + square / before * direction


@compiled(plain=_fold_in, any_order=True)
def fold_in(
    factors: Floats, place: NDArray[np.int32], rows: Ints, confidence: Floats, tolerance: float, most: int, out: Floats
) -> None:
    """Solve ``(I + Fᵀ C F) x = Fᵀ (1 + c)`` and write x to ``out`` (d,).

    F are the ``factors`` (r, d) at the ``place`` (n,) of a user's items (h,), and C is diagonal with the ``confidence``
    c (h,). The iteration ends where the residual is within ``tolerance`` of the right side in relative norm, or after
    ``most`` steps.
    """
    h, d = len(rows), len(out)
    own = np.empty((h, d), np.float32)  # side by side for the passes to come
    residual, product = np.zeros(d, np.float32), np.empty(d, np.float32)
    for i in range(h):
        source, into, weight = factors[place[rows[i]]], own[i], np.float32(1) + confidence[i]
        for k in range(d):
            into[k] = source[k]
            residual[k] += weight * source[k]
    direction, square = residual.copy(), _dot(residual, residual)
    out[:] = 0
    enough = np.float32(tolerance**2) * square
    for _ in range(most):
        if square <= enough:
            return
        product[:] = direction
        for i in range(h):
            row = own[i]
            along = confidence[i] * _dot(row, direction)
            for k in range(d):
                product[k] += along * row[k]
        step = square / _dot(direction, product)
        for k in range(d):
            out[k] += step * direction[k]
            residual[k] -= step * product[k]
        before = square
        square = _dot(residual, residual)
        ratio = square / before
        for k in range(d):
            direction[k] = residual[k] + ratio * direction[k]


@Subroutine
def _dot(a: Floats, b: Floats) -> np.float32:
    """Return the dot product of two vectors (d,)."""
    total = np.float32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return total
