"""Conjugate gradients with a preconditioner of low rank (Saad, "Iterative Methods for Sparse Linear Systems", 2003)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled
from gars.kernels.gaussian_process import sequential_sum
from gars.kernels.neighbours import CSR, entries_among

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CONVERGED, UNFINISHED, NOT_POSITIVE = 1, 0, -1
"""Outcomes: within the tolerance, not after all iterations, or the matrix is not positive definite."""


def _conjugate_gradient(
    factors: Floats, transposed: Floats, inverse: Floats, noise: np.float32, corrections: CSR, rows: Ints, n: int,
    rhs: Floats, tolerance: float, max_iterations: int, x: Floats,
) -> int:  # fmt: skip
    entry, source, target = entries_among(corrections, rows, n)
    data = corrections.data[entry]
    residual, direction = rhs.copy(), np.zeros_like(rhs)
    enough = tolerance**2 * _dots(rhs, rhs)
    rz_before, zeros = np.ones(2), np.zeros((2, factors.shape[1]), np.float32)
    for _ in range(max_iterations):
        if (_dots(residual, residual) <= enough).all():
            return CONVERGED
        solved = _combine(inverse, _combine(factors, residual, zeros), zeros)
        preconditioned = _combine(transposed, -solved, residual) / noise
        rz = _dots(residual, preconditioned)
        direction = preconditioned + (rz / rz_before).astype(np.float32)[:, None] * direction
        product = _combine(transposed, _combine(factors, direction, zeros), noise * direction)
        for column, along in zip(product, direction, strict=True):
            np.add.at(column, source, data * along[target])
        curvature = _dots(direction, product)
        if (curvature < 0).any():
            return NOT_POSITIVE
        step = (rz / np.maximum(curvature, 1e-30)).astype(np.float32)[:, None]
        x += step * direction
        residual -= step * product
        rz_before = np.maximum(rz, 1e-30)
    return UNFINISHED


def _combine(rows: Floats, coefficients: Floats, start: Floats) -> Floats:
    """Return ``start`` (2, b) plus the linear combinations ``coefficients`` (2, a) of rows (a, b). → (2, b)"""
    terms = (
        np.concatenate([first[None], rows * each[:, None]]) for each, first in zip(coefficients, start, strict=True)
    )
    return np.stack([sequential_sum(each) for each in terms])


def _dots(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Return the dot products of rows with rows. (2, r), (2, r) → (2,)"""
    return np.asarray(np.cumsum(a * b, axis=1, dtype=np.float64)[:, -1])


@compiled(plain=_conjugate_gradient)
def conjugate_gradient(
    factors: Floats, transposed: Floats, inverse: Floats, noise: np.float32, corrections: CSR, rows: Ints, n: int,
    rhs: Floats, tolerance: float, max_iterations: int, x: Floats,
) -> int:  # fmt: skip
    """Solve ``(F Fᵀ + noise I + S) x = rhs`` for two right-hand sides (2, r); return the outcome.

    ``factors`` (r, d) are F, ``transposed`` (d, r) its transpose; S are the entries of ``corrections`` (n, n) at
    ``rows`` (r,) and the same columns; ``inverse`` (d, d) is that of ``Fᵀ F + noise I``, from which the preconditioner
    follows, the inverse of all but S. ``x`` (2, r) must be zero. The iteration ends where the residual of each side is
    within ``tolerance`` of it in relative norm, after ``max_iterations``, or as soon as the matrix turns out not to be
    positive definite.
    """
    r, d = factors.shape
    indptr, indices, data = _submatrix(corrections, rows, n)
    residual, direction = rhs.copy(), np.zeros_like(rhs)
    preconditioned, product = np.empty_like(rhs), np.empty_like(rhs)
    projected, solved = np.empty((2, d), np.float32), np.empty((2, d), np.float32)
    enough, rz_before = np.empty(2, np.float64), np.ones(2, np.float64)
    for c in range(2):
        enough[c] = tolerance**2 * _dot(rhs[c], rhs[c])
    for _ in range(max_iterations):
        if _dot(residual[0], residual[0]) <= enough[0] and _dot(residual[1], residual[1]) <= enough[1]:
            return CONVERGED
        projected[:] = 0
        solved[:] = 0
        preconditioned[:] = residual
        for c in range(2):
            _add_combination(factors, residual[c], projected[c])
            _add_combination(inverse, projected[c], solved[c])
            for k in range(d):
                solved[c, k] = -solved[c, k]
            _add_combination(transposed, solved[c], preconditioned[c])
            for i in range(r):
                preconditioned[c, i] /= noise
            rz = _dot(residual[c], preconditioned[c])
            ratio = np.float32(rz / rz_before[c])
            rz_before[c] = rz
            for i in range(r):
                direction[c, i] = preconditioned[c, i] + ratio * direction[c, i]
                product[c, i] = noise * direction[c, i]
        projected[:] = 0
        for c in range(2):
            _add_combination(factors, direction[c], projected[c])
            _add_combination(transposed, projected[c], product[c])
        one, other = 0.0, 0.0
        for i in range(r):
            of_one, of_other = product[0, i], product[1, i]
            for entry in range(indptr[i], indptr[i + 1]):
                of_one += data[entry] * direction[0, indices[entry]]
                of_other += data[entry] * direction[1, indices[entry]]
            product[0, i], product[1, i] = of_one, of_other
            one += np.float64(direction[0, i] * of_one)
            other += np.float64(direction[1, i] * of_other)
        if one < 0 or other < 0:
            return NOT_POSITIVE
        for c in range(2):
            step = np.float32(rz_before[c] / max(one if c == 0 else other, 1e-30))
            rz_before[c] = max(rz_before[c], 1e-30)
            for i in range(r):
                x[c, i] += step * direction[c, i]
                residual[c, i] -= step * product[c, i]
    return UNFINISHED


@Subroutine
def _submatrix(matrix: CSR, rows: Ints, n: int) -> tuple[Ints, NDArray[np.uint32], Floats]:
    """Return the entries of a sparse (n, n) matrix at some rows (r,) and the same columns. → (r + 1,), (t,), (t,)"""
    r, size = len(rows), 0
    is_among, position = np.zeros(n, np.uint8), np.empty(n, np.uint32)  # flags alone are small enough for the cache
    for i in range(r):
        is_among[rows[i]], position[rows[i]] = 1, i
        size += matrix.indptr[rows[i] + 1] - matrix.indptr[rows[i]]
    indptr, count = np.zeros(r + 1, np.int64), 0
    indices, data = np.empty(size + 1, np.uint32), np.empty(size + 1, np.float32)
    for i in range(r):
        # every entry is written down, and the count advanced only for one of the rows: faster than a branch
        for entry in range(matrix.indptr[rows[i]], matrix.indptr[rows[i] + 1]):
            indices[count] = entry
            count += is_among[np.uint32(matrix.indices[entry])]
        for place in range(indptr[i], count):
            entry = indices[place]
            indices[place], data[place] = position[matrix.indices[entry]], matrix.data[entry]
        indptr[i + 1] = count
    return indptr, indices, data


@Subroutine
def _add_combination(rows: Floats, coefficients: Floats, out: Floats) -> None:
    """Add the linear combination of rows (a, b) with coefficients (a,) to ``out`` (b,), row after row."""
    a, b = rows.shape
    for i in range(0, a - 3, 4):
        first, second, third, fourth = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        one, two, three, four = coefficients[i], coefficients[i + 1], coefficients[i + 2], coefficients[i + 3]
        for k in range(b):
            out[k] = out[k] + first[k] * one + second[k] * two + third[k] * three + fourth[k] * four
    for i in range(a // 4 * 4, a):
        row, one = rows[i], coefficients[i]
        for k in range(b):
            out[k] += row[k] * one


@Subroutine
def _dot(one: Floats, other: Floats) -> float:
    """Return the sum of products in double precision, one after the other."""
    total = 0.0
    for i in range(len(one)):
        total += np.float64(one[i] * other[i])
    return total
