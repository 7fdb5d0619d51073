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
    is_candidate, position = np.zeros(n, np.uint8), np.empty(n, np.int32)  # flags alone are small enough for the cache
    for j in range(m):
        is_candidate[candidates[j]], position[candidates[j]] = 1, j
    kept = np.empty(n + 1, np.int32)
    largest_of_four, first_of_four = np.empty(m, np.float32), np.zeros(m, np.int32)
    neighbour_weights = np.empty((4, m), np.float32)
    by_dual, by_value = np.zeros((2, 4), np.float32), np.zeros((4, 4), np.float32)
    means[:] = 0
    neighbour_sums[:] = 0
    largest = nearest[0]
    largest[:] = -np.inf
    # four ratings at a time; of the last four, some may come again and then have weight 0
    for start in range(0, r, 4):
        end = min(start + 4, r)
        for i in range(start, end):
            row, count = covariance[i], 0
            for entry in range(corrections.indptr[rated[i]], corrections.indptr[rated[i] + 1]):
                kept[count] = entry
                count += is_candidate[np.uint32(corrections.indices[entry])]  # without a sign: not tested for below 0
            for place in range(count):
                entry = kept[place]
                row[position[corrections.indices[entry]]] += corrections.data[entry]
        for i in range(4):
            counts = start + i < r
            for c in range(2):
                by_dual[c, i] = dual[c, start + i] if counts else 0
            for c in range(4):
                by_value[c, i] = values[c, start + i] if counts else 0
        first, second, third, fourth = (
            covariance[start],
            covariance[min(start + 1, r - 1)],
            covariance[min(start + 2, r - 1)],
            covariance[end - 1],
        )
        for j in range(m):
            largest_of_four[j] = max(max(first[j], second[j]), max(third[j], fourth[j]))
        for j in range(m):
            value, before = largest_of_four[j], largest[j]
            first_of_four[j] = start if value > before else first_of_four[j]
            largest[j] = value if value > before else before
        for c in range(2):
            total, one, two, three, four = means[c], by_dual[c, 0], by_dual[c, 1], by_dual[c, 2], by_dual[c, 3]
            for j in range(m):
                total[j] = total[j] + first[j] * one + second[j] * two + third[j] * three + fourth[j] * four
        for i in range(4):
            row, weights = covariance[min(start + i, r - 1)], neighbour_weights[i]
            for j in range(m):
                value = max(row[j], np.float32(0))
                weights[j] = value * value
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
    for j in range(m):
        i = first_of_four[j]
        while i < r - 1 and covariance[i, j] != largest[j]:
            i += 1
        nearest[1, j] = residuals[i]


def _read_residuals(
    priors: Floats, rows: Ints, ratings: Floats, threshold: np.float32, prior_weight: np.float32, residuals: Floats,
    values: Floats, deviations: Floats,
) -> None:  # fmt: skip
    residuals[0], residuals[1] = ratings > threshold, ratings
    values[0], values[1] = 1, residuals[0]
    residuals -= priors[rows, :2].T
    deviations[:] = np.cumsum(residuals, axis=1)[:, -1] / (np.float32(len(rows)) + prior_weight)
    values[2:] = residuals - deviations[:, None]


@compiled(plain=_read_residuals)
def read_residuals(
    priors: Floats, rows: Ints, ratings: Floats, threshold: np.float32, prior_weight: np.float32, residuals: Floats,
    values: Floats, deviations: Floats,
) -> None:  # fmt: skip
    """Write residuals (2, r) of ratings (r,), the user's deviation (2,), and values (4, r) for a kernel smoother.

    Residuals are 1 or 0 for above the threshold or not, and the rating, minus the prior means of some rows (r,) in the
    first two columns of ``priors`` (n, 3); deviations are their means, shrunk by ``prior_weight`` ratings. Values are
    1, above the threshold or not, and residuals minus deviations. r > 0.
    """
    r = len(rows)
    deviations[:] = 0
    for i in range(r):
        liked, prior = np.float32(ratings[i] > threshold), priors[rows[i]]
        residuals[0, i], residuals[1, i] = liked - prior[0], ratings[i] - prior[1]
        values[0, i], values[1, i] = np.float32(1), liked
        deviations[0] += residuals[0, i]
        deviations[1] += residuals[1, i]
    for c in range(2):
        deviations[c] /= np.float32(r) + prior_weight
        for i in range(r):
            values[2 + c, i] = residuals[c, i] - deviations[c]


def _complete_predictions(
    priors: Floats, candidates: Ints, deviations: Floats, shifts: Floats, prior_weight: np.float32, usual: np.float32,
    columns: Floats,
) -> None:  # fmt: skip
    of_candidates = priors[candidates].T
    columns[:2] = of_candidates[:2] + deviations[:, None]
    columns[2:4] += of_candidates[:2] + shifts[:, None]
    columns[4] /= np.maximum(of_candidates[2], np.float32(1e-6))
    weight = columns[5] + prior_weight
    columns[6] += prior_weight * usual
    columns[6:9] /= weight


@compiled(plain=_complete_predictions)
def complete_predictions(
    priors: Floats, candidates: Ints, deviations: Floats, shifts: Floats, prior_weight: np.float32, usual: np.float32,
    columns: Floats,
) -> None:  # fmt: skip
    """Complete the predictions for m candidates in ``columns`` (≥ 9, m), given posterior moments and weighted sums.

    ``priors`` (n, 3) are prior means of both targets and the prior variance of each item. Columns 0 and 1 become prior
    means plus ``deviations`` (2,); 2 and 3 are increased by prior means and ``shifts`` (2,); 4 is divided by the prior
    variance; 6 to 8 are divided by the sum of weights, column 5, plus ``prior_weight`` of the value ``usual`` in 6.
    """
    for j in range(len(candidates)):
        prior = priors[candidates[j]]
        for c in range(2):
            columns[c, j] = prior[c] + deviations[c]
            columns[2 + c, j] += prior[c] + shifts[c]
        columns[4, j] /= max(prior[2], np.float32(1e-6))
        weight = columns[5, j] + prior_weight
        columns[6, j] = (columns[6, j] + prior_weight * usual) / weight
        columns[7, j] /= weight
        columns[8, j] /= weight
