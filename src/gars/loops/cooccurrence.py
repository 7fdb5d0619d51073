"""Co-occurrence of items on users' lists, a few items at a time: no items × items matrix is ever held.

Both directions of the same (users, items) matrix are read: ``users`` holds the items of each user, ``items`` the users
of each item. Every sum is taken in the order of the entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import Part, compiled
from gars.loops.neighbours import Lists, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Places = NDArray[np.int32]


def _two_steps(items: Lists, users: Lists, scale: Floats, own: Ints, places: Places, values: Floats) -> None:
    k = places.shape[1]
    for row, item in enumerate(own):
        first, _ = entries_of(items, np.array([item]))
        reached, step = entries_of(users, items.items[first].astype(np.int64))
        total = np.zeros(len(scale), np.float32)
        np.add.at(total, users.items[reached], items.weights[first][step] * users.weights[reached])
        found = np.setdiff1d(users.items[reached], [item])
        weight = total[found] * scale[found]
        found, weight = found[weight > 0], weight[weight > 0]
        best = np.sort(np.lexsort((found, -weight))[:k])
        places[row, : len(best)], values[row, : len(best)] = found[best], weight[best]


@compiled(plain=_two_steps)
def two_steps(items: Lists, users: Lists, scale: Floats, own: Ints, places: Places, values: Floats) -> None:
    """Find the k items of largest two-step weight ``scale[j] · Σ_u items[i, u] · users[u, j]`` for each own item i.

    Written to ``places`` (which must be -1) and ``values`` (zero), both (b, k), in ascending order of j; ties go to the
    lower item. The item itself and weights that are not positive are left out.
    """
    n, k = len(scale), places.shape[1]
    total, met, touched = np.zeros(n, np.float32), np.zeros(n, np.bool_), np.empty(n, np.int32)
    for row in range(len(own)):
        item, several = own[row], 0
        for first in range(items.starts[item], items.starts[item + 1]):
            user, weight = items.items[first], items.weights[first]
            for second in range(users.starts[user], users.starts[user + 1]):
                other = users.items[second]
                if not met[other]:
                    met[other] = True
                    touched[several] = other
                    several += 1
                total[other] += weight * users.weights[second]
        some = np.sort(touched[:several])
        weights = np.empty(several, np.float32)
        kept = 0
        for place in range(several):
            other = some[place]
            weight = total[other] * scale[other]
            total[other], met[other] = 0, False
            if other != item and weight > 0:
                some[kept], weights[kept] = other, weight
                kept += 1
        _keep_best(some[:kept], weights[:kept], k, places[row], values[row])


@Part
def _keep_best(some: Places, weights: Floats, k: int, places: Places, values: Floats) -> None:
    """Write the k largest of some weights in the order given, ties to the first."""
    bound, equal = np.float32(-1), k
    if len(some) > k:
        bound = np.partition(weights, len(some) - k)[len(some) - k]
        equal = k
        for place in range(len(some)):
            equal -= weights[place] > bound
    written = 0
    for place in range(len(some)):
        if weights[place] > bound or (weights[place] == bound and equal > 0):
            equal -= weights[place] == bound
            places[written], values[written] = some[place], weights[place]
            written += 1


def _local_grams(items: Lists, users: Lists, n: int, members: Places, grams: Floats) -> None:
    for some, gram in zip(members, grams, strict=True):
        place = np.full(n, -1)
        inside = np.flatnonzero(some >= 0)
        place[some[inside]] = inside
        for a in inside:
            first, _ = entries_of(items, some[a : a + 1].astype(np.int64))
            reached, step = entries_of(users, items.items[first].astype(np.int64))
            at = place[users.items[reached]]
            terms = items.weights[first][step] * users.weights[reached]
            np.add.at(gram[a], at[at >= a], terms[at >= a])
        upper = np.triu(gram, 1)
        gram += upper.T


@compiled(plain=_local_grams)
def local_grams(items: Lists, users: Lists, n: int, members: Places, grams: Floats) -> None:
    """Write the Gram matrix of each group of items: ``Σ_u items[i, u] · users[u, j]`` for i, j of the group.

    ``members`` (b, m) are distinct rows below ``n``, -1 pads; ``grams`` (b, m, m) must be zero. The weights of both
    directions must be the same, so that the matrices are symmetric.
    """
    b, m = members.shape
    place = np.full(n, -1, np.int32)
    for group in range(b):
        gram = grams[group]
        for a in range(m):
            if members[group, a] >= 0:
                place[members[group, a]] = a
        for a in range(m):
            item = members[group, a]
            if item < 0:
                continue
            for first in range(items.starts[item], items.starts[item + 1]):
                user, weight = items.items[first], items.weights[first]
                for second in range(users.starts[user], users.starts[user + 1]):
                    at = place[users.items[second]]
                    if at >= a:
                        gram[a, at] += weight * users.weights[second]
        for a in range(m):
            if members[group, a] >= 0:
                place[members[group, a]] = -1
            for c in range(a):
                gram[a, c] = gram[c, a]
