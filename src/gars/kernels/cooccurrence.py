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
    n, k = len(scale), columns.shape[1]
    total, seen, touched = np.zeros(n, np.float32), np.zeros(n, np.bool_), np.empty(n, np.int32)
    for row in range(len(sources)):
        item, count = sources[row], 0
        for first in range(items.indptr[item], items.indptr[item + 1]):
            user, weight = items.indices[first], items.data[first]
            for second in range(users.indptr[user], users.indptr[user + 1]):
                other = users.indices[second]
                if not seen[other]:
                    seen[other] = True
                    touched[count] = other
                    count += 1
                total[other] += weight * users.data[second]
        found = np.sort(touched[:count])
        weights = np.empty(count, np.float32)
        kept = 0
        for i in range(count):
            other = found[i]
            weight = total[other] * scale[other]
            total[other], seen[other] = 0, False
            if other != item and weight > 0:
                found[kept], weights[kept] = other, weight
                kept += 1
        _write_top_k(found[:kept], weights[:kept], k, columns[row], values[row])


@Subroutine
def _write_top_k(found: Columns, weights: Floats, k: int, columns: Columns, values: Floats) -> None:
    """Write the k largest of some weights in the order given, ties to the first."""
    threshold, equal = np.float32(-1), k
    if len(found) > k:
        threshold = np.partition(weights, len(found) - k)[len(found) - k]
        equal = k
        for i in range(len(found)):
            equal -= weights[i] > threshold
    written = 0
    for i in range(len(found)):
        if weights[i] > threshold or (weights[i] == threshold and equal > 0):
            equal -= weights[i] == threshold
            columns[written], values[written] = found[i], weights[i]
            written += 1


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
