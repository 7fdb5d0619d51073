"""Conjugate gradients with a preconditioner of low rank (Saad, "Iterative Methods for Sparse Linear Systems", 2003)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled
from gars.kernels.gaussian_process import sequential_sum
from gars.kernels.neighbours import CSR, entries_among

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _conjugate_gradient(
    factors: Floats, transposed: Floats, inverse: Floats, noise: np.float32, corrections: CSR, rows: Ints, n: int,
    rhs: Floats, tolerance: float, max_iterations: int, x: Floats,
) -> bool:  # fmt: skip
    entry, source, target = entries_among(corrections, rows, n)
    data = corrections.data[entry]
    residual, direction = rhs.copy(), np.zeros_like(rhs)
    enough = tolerance**2 * _dots(rhs, rhs)
    rz_before, zeros = np.ones(2), np.zeros((2, factors.shape[1]), np.float32)
    for _ in range(max_iterations):
        if (_dots(residual, residual) <= enough).all():
            return True
        solved = _combine(inverse, _combine(factors, residual, zeros), zeros)
        preconditioned = _combine(transposed, -solved, residual) / noise
        rz = _dots(residual, preconditioned)
        direction = preconditioned + (rz / rz_before).astype(np.float32)[:, None] * direction
        product = _combine(transposed, _combine(factors, direction, zeros), noise * direction)
        for column, along in zip(product, direction, strict=True):
            np.add.at(column, source, data * along[target])
        curvature = _dots(direction, product)
        if (curvature < 0).any():
            return False
        step = (rz / np.maximum(curvature, 1e-30)).astype(np.float32)[:, None]
        x += step * direction
        residual -= step * product
        rz_before = np.maximum(rz, 1e-30)
    return False


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
) -> bool:  # fmt: skip
    """Solve ``(F Fᵀ + noise I + S) x = rhs`` for two right-hand sides (2, r); return whether it converged.

    ``factors`` (r, d) are F, ``transposed`` (d, r) its transpose; S are the entries of ``corrections`` (n, n) at
    ``rows`` (r,) and the same columns; ``inverse`` (d, d) is that of ``Fᵀ F + noise I``, from which the preconditioner
    follows, the inverse of all but S. ``x`` (2, r) must be zero. The iteration ends where the residual of each side is
    within ``tolerance`` of it in relative norm, after ``max_iterations``, or as soon as the matrix turns out not to be
    positive definite.
    """
    r, d = factors.shape
    position = np.full(n, -1, np.int32)
    size = 0
    for i in range(r):
        position[rows[i]] = i
        size += corrections.indptr[rows[i] + 1] - corrections.indptr[rows[i]]
    indptr, found = np.zeros(r + 1, np.int64), 0
    indices, data = np.empty(size + 1, np.int32), np.empty(size + 1, np.float32)
    for i in range(r):
        # every entry is written, and the count advanced only for one of the rows: faster than a branch
        for entry in range(corrections.indptr[rows[i]], corrections.indptr[rows[i] + 1]):
            indices[found], data[found] = position[corrections.indices[entry]], corrections.data[entry]
            found += indices[found] >= 0
        indptr[i + 1] = found

    residual, direction = rhs.copy(), np.zeros_like(rhs)
    preconditioned, product = np.empty_like(rhs), np.empty_like(rhs)
    projected, solved = np.empty((2, d), np.float32), np.empty((2, d), np.float32)
    enough, rz_before = np.empty(2, np.float64), np.ones(2, np.float64)
    for c in range(2):
        total = 0.0
        for i in range(r):
            total += np.float64(rhs[c, i] * rhs[c, i])
        enough[c] = tolerance**2 * total
    for _ in range(max_iterations):
        one, other = 0.0, 0.0
        for i in range(r):
            one += np.float64(residual[0, i] * residual[0, i])
            other += np.float64(residual[1, i] * residual[1, i])
        if one <= enough[0] and other <= enough[1]:
            return True

        projected[:] = 0
        for i in range(r):
            row, of_one, of_other = factors[i], residual[0, i], residual[1, i]
            for k in range(d):
                projected[0, k] += row[k] * of_one
                projected[1, k] += row[k] * of_other
        solved[:] = 0
        for i in range(d):
            row, of_one, of_other = inverse[i], projected[0, i], projected[1, i]
            for k in range(d):
                solved[0, k] += row[k] * of_one
                solved[1, k] += row[k] * of_other
        preconditioned[:] = residual
        for k in range(d):
            row, of_one, of_other = transposed[k], solved[0, k], solved[1, k]
            for i in range(r):
                preconditioned[0, i] -= row[i] * of_one
                preconditioned[1, i] -= row[i] * of_other
        one, other = 0.0, 0.0
        for i in range(r):
            preconditioned[0, i] /= noise
            preconditioned[1, i] /= noise
            one += np.float64(residual[0, i] * preconditioned[0, i])
            other += np.float64(residual[1, i] * preconditioned[1, i])
        for c in range(2):
            rz = one if c == 0 else other
            ratio = np.float32(rz / rz_before[c])
            rz_before[c] = rz
            for i in range(r):
                direction[c, i] = preconditioned[c, i] + ratio * direction[c, i]
                product[c, i] = noise * direction[c, i]

        projected[:] = 0
        for i in range(r):
            row, of_one, of_other = factors[i], direction[0, i], direction[1, i]
            for k in range(d):
                projected[0, k] += row[k] * of_one
                projected[1, k] += row[k] * of_other
        for k in range(d):
            row, of_one, of_other = transposed[k], projected[0, k], projected[1, k]
            for i in range(r):
                product[0, i] += row[i] * of_one
                product[1, i] += row[i] * of_other
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
            return False
        for c in range(2):
            step = np.float32(rz_before[c] / max(one if c == 0 else other, 1e-30))
            rz_before[c] = max(rz_before[c], 1e-30)
            for i in range(r):
                x[c, i] += step * direction[c, i]
                residual[c, i] -= step * product[c, i]
    return False
