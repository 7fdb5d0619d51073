"""Conjugate gradients with a preconditioner of low rank (Saad, "Iterative Methods for Sparse Linear Systems", 2003)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled
from gars.loops.neighbours import Lists, entries_among
from gars.loops.process import in_turn

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _solve(
    wide: Floats, turned: Floats, inverse: Floats, noise: np.float32, lists: Lists, rows: Ints, n: int, left: Floats,
    tolerance: float, most: int, x: Floats,
) -> bool:  # fmt: skip
    entry, source, target = entries_among(lists, rows, n)
    weight = lists.weights[entry]
    residual, direction = left.copy(), np.zeros_like(left)
    enough = tolerance**2 * _dots(left, left)
    before, nothing = np.ones(2), np.zeros((2, wide.shape[1]), np.float32)
    for _ in range(most):
        if (_dots(residual, residual) <= enough).all():
            return True
        shares = _summed(inverse, _summed(wide, residual, nothing), nothing)
        away = _summed(turned, -shares, residual) / noise
        fit = _dots(residual, away)
        direction = away + (fit / before).astype(np.float32)[:, None] * direction
        image = _summed(turned, _summed(wide, direction, nothing), noise * direction)
        for column, along in zip(image, direction, strict=True):
            np.add.at(column, source, weight * along[target])
        curvature = _dots(direction, image)
        if (curvature < 0).any():
            return False
        step = (fit / np.maximum(curvature, 1e-30)).astype(np.float32)[:, None]
        x += step * direction
        residual -= step * image
        before = np.maximum(fit, 1e-30)
    return False


def _summed(rows: Floats, shares: Floats, start: Floats) -> Floats:
    """``start`` (2, b) and each side's shares (2, a) of rows (a, b). → (2, b)"""
    terms = (np.concatenate([first[None], rows * share[:, None]]) for share, first in zip(shares, start, strict=True))
    return np.stack([in_turn(each) for each in terms])


def _dots(some: Floats, other: Floats) -> NDArray[np.float64]:
    """The products of rows with rows. (2, r), (2, r) → (2,)"""
    return np.asarray(np.cumsum(some * other, axis=1, dtype=np.float64)[:, -1])


@compiled(plain=_solve)
def solve(
    wide: Floats, turned: Floats, inverse: Floats, noise: np.float32, lists: Lists, rows: Ints, n: int, left: Floats,
    tolerance: float, most: int, x: Floats,
) -> bool:  # fmt: skip
    """Solve ``(wide wideᵀ + noise I + S) x = left`` for two right sides (2, r). Whether it came to an end.

    ``turned`` (d, r) is the transpose of ``wide`` (r, d); ``S`` are the entries of ``rows`` (r,) of n at each other;
    ``inverse`` (d, d) is that of ``wideᵀ wide + noise I``: the inverse of all but ``S``, the preconditioner, follows
    from it. ``x`` must be zero. The rounds end where what is left of each side is within ``tolerance`` of it; they are
    given up after ``most``, or as soon as the matrix turns out not to be positive.
    """
    r, d = wide.shape
    place = np.full(n, -1, np.int32)
    several = 0
    for i in range(r):
        place[rows[i]] = i
        several += lists.starts[rows[i] + 1] - lists.starts[rows[i]]
    starts, found = np.zeros(r + 1, np.int64), 0
    items, weights = np.empty(several + 1, np.int32), np.empty(several + 1, np.float32)
    for i in range(r):
        # written whether it counts or not, and then counted: faster than asking first
        for entry in range(lists.starts[rows[i]], lists.starts[rows[i] + 1]):
            items[found], weights[found] = place[lists.items[entry]], lists.weights[entry]
            found += items[found] >= 0
        starts[i + 1] = found

    residual, direction = left.copy(), np.zeros_like(left)
    away, image = np.empty_like(left), np.empty_like(left)
    along, shares = np.empty((2, d), np.float32), np.empty((2, d), np.float32)
    enough, before = np.empty(2, np.float64), np.ones(2, np.float64)
    for c in range(2):
        total = 0.0
        for i in range(r):
            total += np.float64(left[c, i] * left[c, i])
        enough[c] = tolerance**2 * total
    for _ in range(most):
        one, other = 0.0, 0.0
        for i in range(r):
            one += np.float64(residual[0, i] * residual[0, i])
            other += np.float64(residual[1, i] * residual[1, i])
        if one <= enough[0] and other <= enough[1]:
            return True

        along[:] = 0
        for i in range(r):
            row, of_one, of_other = wide[i], residual[0, i], residual[1, i]
            for k in range(d):
                along[0, k] += row[k] * of_one
                along[1, k] += row[k] * of_other
        shares[:] = 0
        for i in range(d):
            row, of_one, of_other = inverse[i], along[0, i], along[1, i]
            for k in range(d):
                shares[0, k] += row[k] * of_one
                shares[1, k] += row[k] * of_other
        away[:] = residual
        for k in range(d):
            row, of_one, of_other = turned[k], shares[0, k], shares[1, k]
            for i in range(r):
                away[0, i] -= row[i] * of_one
                away[1, i] -= row[i] * of_other
        one, other = 0.0, 0.0
        for i in range(r):
            away[0, i] /= noise
            away[1, i] /= noise
            one += np.float64(residual[0, i] * away[0, i])
            other += np.float64(residual[1, i] * away[1, i])
        for c in range(2):
            fit = one if c == 0 else other
            turn = np.float32(fit / before[c])
            before[c] = fit
            for i in range(r):
                direction[c, i] = away[c, i] + turn * direction[c, i]
                image[c, i] = noise * direction[c, i]

        along[:] = 0
        for i in range(r):
            row, of_one, of_other = wide[i], direction[0, i], direction[1, i]
            for k in range(d):
                along[0, k] += row[k] * of_one
                along[1, k] += row[k] * of_other
        for k in range(d):
            row, of_one, of_other = turned[k], along[0, k], along[1, k]
            for i in range(r):
                image[0, i] += row[i] * of_one
                image[1, i] += row[i] * of_other
        one, other = 0.0, 0.0
        for i in range(r):
            of_one, of_other = image[0, i], image[1, i]
            for entry in range(starts[i], starts[i + 1]):
                of_one += weights[entry] * direction[0, items[entry]]
                of_other += weights[entry] * direction[1, items[entry]]
            image[0, i], image[1, i] = of_one, of_other
            one += np.float64(direction[0, i] * of_one)
            other += np.float64(direction[1, i] * of_other)
        if one < 0 or other < 0:
            return False
        for c in range(2):
            step = np.float32(before[c] / max(one if c == 0 else other, 1e-30))
            before[c] = max(before[c], 1e-30)
            for i in range(r):
                x[c, i] += step * direction[c, i]
                residual[c, i] -= step * image[c, i]
    return False
