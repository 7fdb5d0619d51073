"""User-based neighbours on sparse lists: users who share items, and the items of their lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled
from gars.kernels.neighbours import CSR, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _add_neighbour_lists(items: CSR, users: CSR, rows: Ints, weights: Floats, k: int, out: Floats) -> None:
    entry, source = entries_of(items, rows)
    similarity = np.zeros(len(users.indptr) - 1, np.float32)
    np.add.at(similarity, items.indices[entry], weights[source] * items.data[entry])
    found, first = np.unique(items.indices[entry], return_index=True)
    found = found[np.argsort(first)]
    if len(found) > k:
        threshold = np.partition(similarity[found], len(found) - k)[len(found) - k]
        found = found[similarity[found] >= threshold]
    entry, source = entries_of(users, found.astype(np.int64))
    squared = similarity[found] * similarity[found]
    np.add.at(out, users.indices[entry], squared[source])


@compiled(plain=_add_neighbour_lists)
def add_neighbour_lists(items: CSR, users: CSR, rows: Ints, weights: Floats, k: int, out: Floats) -> None:
    """Add the lists of the k users most similar to items (h,) of weights (h,) to ``out`` (n,).

    The similarity of user u is ``Σ_i weights[i] · items[i, u]``; each of the k most similar (more where the last are
    equal) adds its square to every item of their list. Only the indices of ``users`` are read, not its data.
    """
    similarity = np.zeros(len(users.indptr) - 1, np.float32)
    seen = np.zeros(len(similarity), np.bool_)
    found = np.empty(len(similarity), np.int32)
    count = 0
    for i in range(len(rows)):
        for entry in range(items.indptr[rows[i]], items.indptr[rows[i] + 1]):
            user = items.indices[entry]
            similarity[user] += weights[i] * items.data[entry]
            if not seen[user]:
                seen[user], found[count] = True, user
                count += 1
    values = similarity[found[:count]]
    threshold = np.float32(-np.inf)
    if count > k:
        threshold = np.partition(values, count - k)[count - k]
    for i in range(count):
        if values[i] >= threshold:
            squared = values[i] * values[i]
            for entry in range(users.indptr[found[i]], users.indptr[found[i] + 1]):
                out[users.indices[entry]] += squared
