"""Loops over the covariances of a Gaussian process: some items against some others, a row for each of the first.

Every sum goes from rating to rating in order, many candidates at a time, so that no result depends on how wide the
processor is. What is gone through again and again are rows of m numbers, which stay in the nearest cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled
from gars.loops.neighbours import Lists, entries_among, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _turned(table: Floats, rows: Ints, out: Floats) -> None:
    out[:] = table[rows].T


@compiled(plain=_turned)
def turned(table: Floats, rows: Ints, out: Floats) -> None:
    """Write some rows (m,) of a table (n, d) to ``out`` (d, m) as columns."""
    d, m = out.shape
    for i in range(m):
        row = table[rows[i]]
        for k in range(d):
            out[k, i] = row[k]


def _within(lists: Lists, rows: Ints, n: int, out: Floats) -> None:
    entry, source, target = entries_among(lists, rows, n)
    np.add.at(out, (source, target), lists.weights[entry])


@compiled(plain=_within)
def within(lists: Lists, rows: Ints, n: int, out: Floats) -> None:
    """Add the entries of some rows (r,) of n at each other to ``out`` (r, r)."""
    r = len(rows)
    place = np.full(n, r, np.int32)
    for i in range(r):
        place[rows[i]] = i
    places, values = np.empty(n, np.int32), np.empty(n, np.float32)
    for i in range(r):
        found = 0
        for entry in range(lists.starts[rows[i]], lists.starts[rows[i] + 1]):
            at = place[lists.items[entry]]
            places[found], values[found] = at, lists.weights[entry]
            found += at < r
        for entry in range(found):
            out[i, places[entry]] += values[entry]


def in_turn(terms: Floats) -> Floats:
    """The sum of rows (a, b) one after the other, as a loop adds them up. → (b,)"""
    # numpy adds whole rows in their order, unless they are of one number: those it would add in pairs
    return np.asarray(terms.sum(axis=0) if terms.shape[1] > 1 else np.cumsum(terms, axis=0)[-1], np.float32)


def _squares(rows: Floats, sign: np.float32, out: Floats) -> None:
    out[:] = in_turn(np.concatenate([out[None], sign * rows * rows]))


@compiled(plain=_squares)
def squares(rows: Floats, sign: np.float32, out: Floats) -> None:
    """Add the squares of rows (q, m), or take them away, column by column, to ``out`` (m,)."""
    q, m = rows.shape
    for i in range(q):
        row = rows[i]
        for j in range(m):
            out[j] += sign * row[j] * row[j]


def _tell(
    lists: Lists, rows: Ints, wanted: Ints, n: int, across: Floats, weights: Floats, left: Floats, voices: Floats,
    said: Floats, told: Floats, nearest: Floats,
) -> None:  # fmt: skip
    place = np.full(n, -1)
    place[wanted] = np.arange(len(wanted))
    entry, source = entries_of(lists, rows)
    target = place[lists.items[entry]]
    inside = target >= 0
    np.add.at(across, (source[inside], target[inside]), lists.weights[entry[inside]])
    first = across.argmax(axis=0)
    nearest[0], nearest[1] = across[first, np.arange(len(wanted))], left[first]
    squared = np.maximum(across, 0)
    squared *= squared
    for terms, numbers, totals in ((across, weights, said), (squared, voices, told)):
        for number, total in zip(numbers, totals, strict=True):
            total[:] = in_turn(terms * number[:, None])


@compiled(plain=_tell)
def tell(
    lists: Lists, rows: Ints, wanted: Ints, n: int, across: Floats, weights: Floats, left: Floats, voices: Floats,
    said: Floats, told: Floats, nearest: Floats,
) -> None:  # fmt: skip
    """What rated rows (r,) say of wanted ones (m,), of n; ``across`` (r, m) are their covariances but for the entries.

    Written are the entries, to ``across``; the sums of covariances by two ``weights`` (2, r), to ``said`` (2, m); those
    of their squares where they are positive by four ``voices`` (4, r), to ``told`` (4, m); the largest covariance and
    what is ``left`` (r,) there, to ``nearest`` (2, m).
    """
    r, m = across.shape
    place = np.full(n, m, np.int32)
    for j in range(m):
        place[wanted[j]] = j
    places, values = np.empty(n, np.int32), np.empty(n, np.float32)
    squared = np.empty((4, m), np.float32)
    by_weight, by_voice = np.zeros((2, 4), np.float32), np.zeros((4, 4), np.float32)
    said[:] = 0
    told[:] = 0
    nearest[0] = -np.inf
    # four ratings at a time; of the last, some may come again and then count nothing
    for start in range(0, r, 4):
        end = min(start + 4, r)
        for i in range(start, end):
            found = 0
            for entry in range(lists.starts[rows[i]], lists.starts[rows[i] + 1]):
                at = place[lists.items[entry]]
                places[found], values[found] = at, lists.weights[entry]
                found += at < m
            for entry in range(found):
                across[i, places[entry]] += values[entry]
        for i in range(4):
            counts = start + i < r
            for c in range(2):
                by_weight[c, i] = weights[c, start + i] if counts else 0
            for c in range(4):
                by_voice[c, i] = voices[c, start + i] if counts else 0
        for i in range(4):
            row, half, here = across[min(start + i, r - 1)], squared[i], left[min(start + i, r - 1)]
            for j in range(m):
                value, largest, of_largest = row[j], nearest[0, j], nearest[1, j]
                is_larger = value > largest
                nearest[0, j] = value if is_larger else largest
                nearest[1, j] = here if is_larger else of_largest
            for j in range(m):
                value = max(row[j], np.float32(0))
                half[j] = value * value
        first, second, third, fourth = (
            across[start],
            across[min(start + 1, r - 1)],
            across[min(start + 2, r - 1)],
            across[end - 1],
        )
        for c in range(2):
            total, one, two, three, four = said[c], by_weight[c, 0], by_weight[c, 1], by_weight[c, 2], by_weight[c, 3]
            for j in range(m):
                total[j] = total[j] + first[j] * one + second[j] * two + third[j] * three + fourth[j] * four
        first, second, third, fourth = squared[0], squared[1], squared[2], squared[3]
        for c in range(4):
            total, one, two, three, four = told[c], by_voice[c, 0], by_voice[c, 1], by_voice[c, 2], by_voice[c, 3]
            for j in range(m):
                total[j] = total[j] + first[j] * one + second[j] * two + third[j] * three + fourth[j] * four
