"""A Gaussian process conditioned on few ratings in one call: for few, calls of LAPACK cost more than the arithmetic.

Matrices are small and triangular solves run over many candidates at a time, so plain loops are vectorised by the
compiler. Every sum is taken in order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled
from gars.kernels.neighbours import CSR, entries_among

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BLOCK = 112
"""Candidates at a time: their factors fit into the nearest cache, and their columns do not share its sets."""


def _condition_on_few(
    factors: Floats, priors: Floats, corrections: CSR, rated: Ints, residuals: Floats, level: np.float32,
    noise: np.float32, candidates: Ints, covariance: Floats, dual: Floats, variance: Floats,
) -> None:  # fmt: skip
    r, of_rated, of_candidates = len(rated), factors[rated], factors[candidates]
    kernel = np.zeros((r, r), np.float32)
    covariance[:] = 0
    for one, other in zip(of_rated.T, of_candidates.T, strict=True):
        kernel += one[:, None] * one
        covariance += one[:, None] * other
    noisy = kernel + noise * np.eye(r, dtype=np.float32)
    smooth = noisy.copy()
    _factor_in_place(smooth)
    solved = np.empty_like(covariance)
    variance[:] = priors[candidates, 2]
    for i in range(r):
        row = covariance[i].copy()
        for k in range(i):
            row -= smooth[k, i] * solved[k]
        solved[i] = row / smooth[i, i]
        variance -= solved[i] * solved[i]
    system = noisy + level
    entry, source, target = entries_among(corrections, rated, len(factors))
    np.add.at(system, (source, target), corrections.data[entry])
    if not _factor_in_place(system):
        system = noisy + level
        _factor_in_place(system)
    for one, right in zip(dual, residuals, strict=True):
        for i in range(r):
            value = right[i]
            for k in range(i):
                value -= system[k, i] * one[k]
            one[i] = value / system[i, i]
        for i in range(r - 1, -1, -1):
            value = one[i]
            for k in range(i + 1, r):
                value -= system[i, k] * one[k]
            one[i] = value / system[i, i]


def _factor_in_place(matrix: Floats) -> bool:
    """Do as ``_cholesky``."""
    for k in range(len(matrix)):
        if not matrix[k, k] > 0:
            return False
        matrix[k, k:] /= np.sqrt(matrix[k, k])
        for i in range(k + 1, len(matrix)):
            matrix[i, i:] -= matrix[k, i] * matrix[k, i:]
    return True


@compiled(plain=_condition_on_few)
def condition_on_few(
    factors: Floats, priors: Floats, corrections: CSR, rated: Ints, residuals: Floats, level: np.float32,
    noise: np.float32, candidates: Ints, covariance: Floats, dual: Floats, variance: Floats,
) -> None:  # fmt: skip
    """Condition on residuals (2, r) of some rows (r,): write covariances with m candidates (r, m) and weights (2, r).

    The kernel is that of the low-rank ``factors`` (n, d) for ``covariance`` and ``variance`` (m,), which is what the
    ratings leave of the last of the ``priors`` (n, 3). ``dual`` solves
    ``(F Fᵀ + level + noise I + corrections) x = residual`` for both residuals; the sparse ``corrections`` (n, n) are
    left out where the matrix is not positive definite with them.
    """
    r, d, m = len(rated), factors.shape[1], len(candidates)
    of_rated, by_factor = np.empty((r, d), np.float32), np.empty((d, r), np.float32)
    for i in range(r):
        for k in range(d):
            of_rated[i, k] = by_factor[k, i] = factors[rated[i], k]
    noisy = np.zeros((r, r), np.float32)
    for k in range(d):
        for i in range(r):
            value = by_factor[k, i]
            for j in range(r):
                noisy[i, j] += value * by_factor[k, j]
    for i in range(r):
        noisy[i, i] += noise
    smooth = noisy.copy()
    _cholesky(smooth)
    _solve(noisy, level, corrections, rated, residuals, dual, len(factors))

    records, block = np.empty((BLOCK, d), np.float32), np.empty((d, BLOCK), np.float32)
    solved = np.empty((r, BLOCK), np.float32)
    for start in range(0, m, BLOCK):
        width = min(BLOCK, m - start)
        for j in range(width):  # first as they lie, so that the processor waits for many of them at once
            row, copied = factors[candidates[start + j]], records[j]
            for k in range(d):
                copied[k] = row[k]
            variance[start + j] = priors[candidates[start + j], 2]
        for j in range(width):
            for k in range(d):
                block[k, j] = records[j, k]
        for i in range(r):
            total = covariance[i, start : start + width]
            total[:] = 0
            for k in range(0, d - 3, 4):
                a, b, c, e = of_rated[i, k], of_rated[i, k + 1], of_rated[i, k + 2], of_rated[i, k + 3]
                first, second, third, fourth = block[k], block[k + 1], block[k + 2], block[k + 3]
                for j in range(width):
                    total[j] = total[j] + a * first[j] + b * second[j] + c * third[j] + e * fourth[j]
            for k in range(d // 4 * 4, d):
                value, column = of_rated[i, k], block[k]
                for j in range(width):
                    total[j] += value * column[j]
            left = solved[i]
            for j in range(width):
                left[j] = total[j]
            for k in range(i):
                value, before = smooth[k, i], solved[k]
                for j in range(width):
                    left[j] -= value * before[j]
            value, explained = smooth[i, i], variance[start : start + width]
            for j in range(width):
                left[j] /= value
                explained[j] -= left[j] * left[j]


@Subroutine
def _solve(
    noisy: Floats, level: np.float32, corrections: CSR, rated: Ints, residuals: Floats, dual: Floats, n: int
) -> None:
    """Solve for both residuals, with the corrections if the matrix is positive definite."""
    r = len(rated)
    system = noisy + level
    number = np.zeros(n, np.uint8)  # of a rating from 1 on; r is below 255
    for i in range(r):
        number[rated[i]] = i + 1
    for i in range(r):
        for entry in range(corrections.indptr[rated[i]], corrections.indptr[rated[i] + 1]):
            at = number[np.uint32(corrections.indices[entry])]
            if at:
                system[i, at - 1] += corrections.data[entry]
    if not _cholesky(system):
        system = noisy + level
        _cholesky(system)
    for c in range(2):
        for i in range(r):
            value = residuals[c, i]
            for k in range(i):
                value -= system[k, i] * dual[c, k]
            dual[c, i] = value / system[i, i]
        for i in range(r - 1, -1, -1):
            value = dual[c, i]
            for k in range(i + 1, r):
                value -= system[i, k] * dual[c, k]
            dual[c, i] = value / system[i, i]


@Subroutine
def _cholesky(matrix: Floats) -> bool:
    """Factor a symmetric matrix as ``Uᵀ U``, U in its upper half; return False where it is not positive definite."""
    r = len(matrix)
    for k in range(r):
        if not matrix[k, k] > 0:
            return False
        row, root = matrix[k], np.sqrt(matrix[k, k])
        for j in range(k, r):
            row[j] /= root
        for i in range(k + 1, r):
            value, into = row[i], matrix[i]
            for j in range(i, r):
                into[j] -= value * row[j]
    return True
