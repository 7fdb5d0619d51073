"""Covariance kernels of a Gaussian process: rated items against candidates, one row for each rated item.

Every sum runs over the ratings in order, with many candidates at a time, so no result depends on the vector width of
the processor. The rows of m numbers that are read again and again stay in the nearest cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled
from gars.kernels.neighbours import CSR, entries_among, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _gather_columns(table: Floats, rows: Ints, out: Floats) -> None:
    out[:] = table[rows].T


@compiled(plain=_gather_columns)
def gather_columns(table: Floats, rows: Ints, out: Floats) -> None:
    """Write some rows (m,) of a table (n, d) to ``out`` (d, m) as columns."""
    d, m = out.shape
    for i in range(m):
        row = table[rows[i]]
        for k in range(d):
            out[k, i] = row[k]


def _add_submatrix(matrix: CSR, rows: Ints, n: int, out: Floats) -> None:
    entry, source, target = entries_among(matrix, rows, n)
    np.add.at(out, (source, target), matrix.data[entry])


@compiled(plain=_add_submatrix)
def add_submatrix(matrix: CSR, rows: Ints, n: int, out: Floats) -> None:
    """Add the entries of a sparse (n, n) matrix at some rows and the same columns (r,) to ``out`` (r, r)."""
    r = len(rows)
    position = np.full(n, r, np.int32)
    for i in range(r):
        position[rows[i]] = i
    positions, values = np.empty(n, np.int32), np.empty(n, np.float32)
    for i in range(r):
        count = 0
        for entry in range(matrix.indptr[rows[i]], matrix.indptr[rows[i] + 1]):
            at = position[matrix.indices[entry]]
            positions[count], values[count] = at, matrix.data[entry]
            count += at < r
        for entry in range(count):
            out[i, positions[entry]] += values[entry]


def sequential_sum(terms: Floats) -> Floats:
    """Sum rows (a, b) one after the other, as a loop adds them up. → (b,)"""
    # numpy adds whole rows in their order, except rows of one number, which it would add in pairs
    return np.asarray(terms.sum(axis=0) if terms.shape[1] > 1 else np.cumsum(terms, axis=0)[-1], np.float32)


def _add_squares(rows: Floats, sign: np.float32, out: Floats) -> None:
    out[:] = sequential_sum(np.concatenate([out[None], sign * rows * rows]))


@compiled(plain=_add_squares)
def add_squares(rows: Floats, sign: np.float32, out: Floats) -> None:
    """Add the squares of rows (q, m), times ``sign``, column by column to ``out`` (m,)."""
    q, m = rows.shape
    for i in range(q):
        row = rows[i]
        for j in range(m):
            out[j] += sign * row[j] * row[j]


def _posterior_moments(
    corrections: CSR, rated: Ints, candidates: Ints, n: int, covariance: Floats, dual: Floats, residuals: Floats,
    values: Floats, means: Floats, neighbour_sums: Floats, nearest: Floats,
) -> None:  # fmt: skip
    position = np.full(n, -1)
    position[candidates] = np.arange(len(candidates))
    entry, source = entries_of(corrections, rated)
    target = position[corrections.indices[entry]]
    inside = target >= 0
    np.add.at(covariance, (source[inside], target[inside]), corrections.data[entry[inside]])
    first = covariance.argmax(axis=0)
    nearest[0], nearest[1] = covariance[first, np.arange(len(candidates))], residuals[first]
    neighbour_weights = np.maximum(covariance, 0)
    neighbour_weights *= neighbour_weights
    for terms, factors, totals in ((covariance, dual, means), (neighbour_weights, values, neighbour_sums)):
        for factor, total in zip(factors, totals, strict=True):
            total[:] = sequential_sum(terms * factor[:, None])


@compiled(plain=_posterior_moments)
def posterior_moments(
    corrections: CSR, rated: Ints, candidates: Ints, n: int, covariance: Floats, dual: Floats, residuals: Floats,
    values: Floats, means: Floats, neighbour_sums: Floats, nearest: Floats,
) -> None:  # fmt: skip
    """Write the posterior means of m candidates given r ratings, and the sums of a kernel smoother over the ratings.

    ``covariance`` (r, m) is that of the low-rank factors; the sparse ``corrections`` (n, n) are added to it in place.
    ``means`` (2, m) are ``dual (2, r) @ covariance``. ``neighbour_sums`` (4, m) are ``values (4, r) @ weights``, where
    the weight of a neighbour is its covariance squared, 0 if negative. ``nearest`` (2, m) are each candidate's largest
    covariance and the residual (r,) of that rating.
    """
    r, m = covariance.shape
    position = np.full(n, m, np.int32)
    for j in range(m):
        position[candidates[j]] = j
    positions, entries = np.empty(n, np.int32), np.empty(n, np.float32)
    neighbour_weights = np.empty((4, m), np.float32)
    by_dual, by_value = np.zeros((2, 4), np.float32), np.zeros((4, 4), np.float32)
    means[:] = 0
    neighbour_sums[:] = 0
    nearest[0] = -np.inf
    # four ratings at a time; of the last four, some may come again and then have weight 0
    for start in range(0, r, 4):
        end = min(start + 4, r)
        for i in range(start, end):
            count = 0
            for entry in range(corrections.indptr[rated[i]], corrections.indptr[rated[i] + 1]):
                at = position[corrections.indices[entry]]
                positions[count], entries[count] = at, corrections.data[entry]
                count += at < m
            for entry in range(count):
                covariance[i, positions[entry]] += entries[entry]
        for i in range(4):
            counts = start + i < r
            for c in range(2):
                by_dual[c, i] = dual[c, start + i] if counts else 0
            for c in range(4):
                by_value[c, i] = values[c, start + i] if counts else 0
        for i in range(4):
            index = min(start + i, r - 1)
            row, weights, residual = covariance[index], neighbour_weights[i], residuals[index]
            for j in range(m):
                value, largest, of_largest = row[j], nearest[0, j], nearest[1, j]
                is_larger = value > largest
                nearest[0, j] = value if is_larger else largest
                nearest[1, j] = residual if is_larger else of_largest
            for j in range(m):
                value = max(row[j], np.float32(0))
                weights[j] = value * value
        first, second, third, fourth = (
            covariance[start],
            covariance[min(start + 1, r - 1)],
            covariance[min(start + 2, r - 1)],
            covariance[end - 1],
        )
        for c in range(2):
            total, one, two, three, four = means[c], by_dual[c, 0], by_dual[c, 1], by_dual[c, 2], by_dual[c, 3]
            for j in range(m):
                total[j] = total[j] + first[j] * one + second[j] * two + third[j] * three + fourth[j] * four
        first, second, third, fourth = (
            neighbour_weights[0],
            neighbour_weights[1],
            neighbour_weights[2],
            neighbour_weights[3],
        )
        for c in range(4):
            total = neighbour_sums[c]
            one, two, three, four = by_value[c, 0], by_value[c, 1], by_value[c, 2], by_value[c, 3]
            for j in range(m):
                total[j] = total[j] + first[j] * one + second[j] * two + third[j] * three + fourth[j] * four
