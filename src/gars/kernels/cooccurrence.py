"""Co-occurrence of items on users' lists, a few items at a time: no items × items matrix is ever held.

Both directions of the same (users, items) matrix are read: ``users`` holds the items of each user, ``items`` the users
of each item. Every sum is taken in the order of the entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import Subroutine, compiled
from gars.kernels.neighbours import CSR, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Columns = NDArray[np.int32]

DENSE = 16
"""From one term in so many items on, a pass over all items is faster than a sort of those reached."""


def _two_step_neighbours(
    items: CSR, users: CSR, scale: Floats, sources: Ints, columns: Columns, values: Floats
) -> None:
    k = columns.shape[1]
    for row, item in enumerate(sources):
        first, _ = entries_of(items, np.array([item]))
        reached, step = entries_of(users, items.indices[first].astype(np.int64))
        total = np.zeros(len(scale), np.float32)
        np.add.at(total, users.indices[reached], items.data[first][step] * users.data[reached])
        found = np.setdiff1d(users.indices[reached], [item])
        weight = total[found] * scale[found]
        found, weight = found[weight > 0], weight[weight > 0]
        best = np.sort(np.lexsort((found, -weight))[:k])
        columns[row, : len(best)], values[row, : len(best)] = found[best], weight[best]


@compiled(plain=_two_step_neighbours)
def two_step_neighbours(items: CSR, users: CSR, scale: Floats, sources: Ints, columns: Columns, values: Floats) -> None:
    """Find the k items of largest ``scale[j] · Σ_u items[i, u] · users[u, j]`` for each source item i (b,).

    Written to ``columns`` (which must be -1) and ``values`` (zero), both (b, k), in ascending order of j; ties go to
    the lower item. The item itself and weights that are not positive are left out.
    """
    if not columns.shape[1]:
        return
    n = len(scale)
    total, seen, touched = np.zeros(n, np.float32), np.zeros(n, np.bool_), np.empty(n, np.int32)
    for row in range(len(sources)):
        item, best, largest = sources[row], columns[row], values[row]
        n_terms, count, kept, lowest = 0, 0, 0, np.float32(0)
        for first in range(items.indptr[item], items.indptr[item + 1]):
            user = items.indices[first]
            n_terms += users.indptr[user + 1] - users.indptr[user]
        if DENSE * n_terms > n:
            for first in range(items.indptr[item], items.indptr[item + 1]):
                user, weight = items.indices[first], items.data[first]
                for second in range(users.indptr[user], users.indptr[user + 1]):
                    total[users.indices[second]] += weight * users.data[second]
            for other in range(n):
                weight = total[other] * scale[other]
                total[other] = 0
                if other != item and weight > lowest:
                    kept = _insert(best, largest, kept, other, weight)
                    lowest = largest[-1]
        else:
            for first in range(items.indptr[item], items.indptr[item + 1]):
                user, weight = items.indices[first], items.data[first]
                for second in range(users.indptr[user], users.indptr[user + 1]):
                    other = users.indices[second]
                    if not seen[other]:
                        seen[other] = True
                        touched[count] = other
                        count += 1
                    total[other] += weight * users.data[second]
            for other in np.sort(touched[:count]):
                weight = total[other] * scale[other]
                total[other], seen[other] = 0, False
                if other != item and weight > lowest:
                    kept = _insert(best, largest, kept, other, weight)
                    lowest = largest[-1]
        order = np.argsort(best[:kept])
        best[:kept], largest[:kept] = best[:kept][order], largest[:kept][order]


@Subroutine
def _insert(columns: Columns, values: Floats, kept: int, column: int, value: float) -> int:
    """Insert a column into the ``kept`` best ones (k,), which descend by value; an equal value that came first stays.

    The k-th is lost if there are k already. Few of many values are among the best when they come, so this is faster
    than a selection afterwards.
    """
    place = kept
    if kept == len(values):
        place = kept - 1
    else:
        kept += 1
    while place > 0 and values[place - 1] < value:
        columns[place], values[place] = columns[place - 1], values[place - 1]
        place -= 1
    columns[place], values[place] = column, value
    return kept


def _largest_sums(left: CSR, right: CSR, others: Floats, sources: Ints, columns: Columns, values: Floats) -> None:
    k = columns.shape[1]
    for row, item in enumerate(sources):
        first, _ = entries_of(left, np.array([item]))
        reached, step = entries_of(right, left.indices[first].astype(np.int64))
        total = others[row].copy()
        np.add.at(total, right.indices[reached], left.data[first][step] * right.data[reached])
        found = np.flatnonzero(total)
        best = np.sort(found[np.lexsort((found, -np.abs(total[found])))[:k]])
        columns[row, : len(best)], values[row, : len(best)] = best, total[best]


@compiled(plain=_largest_sums)
def largest_sums(left: CSR, right: CSR, others: Floats, sources: Ints, columns: Columns, values: Floats) -> None:
    """Find the k entries of largest magnitude of ``others[i, j] + Σ_u left[i, u] · right[u, j]``, i of sources (b,).

    Written to ``columns`` (which must be -1) and ``values`` (zero), both (b, k), in ascending order of j; ties go to
    the lower column, zeros are left out. ``others`` is (b, n).
    """
    if not columns.shape[1]:
        return
    n = others.shape[1]
    total = np.empty(n, np.float32)
    for row in range(len(sources)):
        item, best, largest = sources[row], columns[row], values[row]
        total[:] = others[row]
        for first in range(left.indptr[item], left.indptr[item + 1]):
            middle, weight = left.indices[first], left.data[first]
            for second in range(right.indptr[middle], right.indptr[middle + 1]):
                total[right.indices[second]] += weight * right.data[second]
        kept, lowest = 0, np.float32(0)
        for j in range(n):
            magnitude = abs(total[j])
            if magnitude > lowest:
                kept = _insert(best, largest, kept, j, magnitude)
                lowest = largest[-1]
        best[:kept] = np.sort(best[:kept])
        for place in range(kept):
            largest[place] = total[best[place]]


def _local_grams(items: CSR, users: CSR, n: int, members: Columns, grams: Floats) -> None:
    for group, gram in zip(members, grams, strict=True):
        position = np.full(n, -1)
        inside = np.flatnonzero(group >= 0)
        position[group[inside]] = inside
        for a in inside:
            first, _ = entries_of(items, group[a : a + 1].astype(np.int64))
            reached, step = entries_of(users, items.indices[first].astype(np.int64))
            at = position[users.indices[reached]]
            terms = items.data[first][step] * users.data[reached]
            np.add.at(gram[a], at[at >= a], terms[at >= a])
        upper = np.triu(gram, 1)
        gram += upper.T


@compiled(plain=_local_grams)
def local_grams(items: CSR, users: CSR, n: int, members: Columns, grams: Floats) -> None:
    """Write the Gram matrix of each group of items: ``Σ_u items[i, u] · users[u, j]`` for i, j of the group.

    ``members`` (b, m) are distinct rows below ``n``, -1 pads; ``grams`` (b, m, m) must be zero. The data of both
    directions must be the same, so that the matrices are symmetric.
    """
    b, m = members.shape
    position = np.full(n, -1, np.int32)
    for group in range(b):
        gram = grams[group]
        for a in range(m):
            if members[group, a] >= 0:
                position[members[group, a]] = a
        for a in range(m):
            item = members[group, a]
            if item < 0:
                continue
            for first in range(items.indptr[item], items.indptr[item + 1]):
                user, weight = items.indices[first], items.data[first]
                for second in range(users.indptr[user], users.indptr[user + 1]):
                    at = position[users.indices[second]]
                    if at >= a:
                        gram[a, at] += weight * users.data[second]
        for a in range(m):
            if members[group, a] >= 0:
                position[members[group, a]] = -1
            for c in range(a):
                gram[a, c] = gram[c, a]
