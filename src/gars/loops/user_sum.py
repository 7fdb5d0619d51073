"""User-based neighbours on sparse lists: users who share items, and what is on their lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.loops.compiled import compiled
from gars.loops.neighbours import Lists, entries_of

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _user_sum(items: Lists, users: Lists, rows: Ints, strengths: Floats, k: int, out: Floats) -> None:
    entry, source = entries_of(items, rows)
    similarity = np.zeros(len(users.starts) - 1, np.float32)
    np.add.at(similarity, items.items[entry], strengths[source] * items.weights[entry])
    found, first = np.unique(items.items[entry], return_index=True)
    found = found[np.argsort(first)]
    if len(found) > k:
        bound = np.partition(similarity[found], len(found) - k)[len(found) - k]
        found = found[similarity[found] >= bound]
    entry, source = entries_of(users, found.astype(np.int64))
    weight = similarity[found] * similarity[found]
    np.add.at(out, users.items[entry], weight[source])


@compiled(plain=_user_sum)
def user_sum(items: Lists, users: Lists, rows: Ints, strengths: Floats, k: int, out: Floats) -> None:
    """Add the lists of the users most similar to items (h,) of strengths (h,) to ``out`` (n,).

    The similarity of user u is ``Σ_i strengths[i] · items[i, u]``; each of the k most similar (more where the last are
    equal) adds its square to every item of their list. Only the items of ``users`` are read, not its weights.
    """
    similarity = np.zeros(len(users.starts) - 1, np.float32)
    met = np.zeros(len(similarity), np.bool_)
    found = np.empty(len(similarity), np.int32)
    several = 0
    for i in range(len(rows)):
        for entry in range(items.starts[rows[i]], items.starts[rows[i] + 1]):
            user = items.items[entry]
            similarity[user] += strengths[i] * items.weights[entry]
            if not met[user]:
                met[user], found[several] = True, user
                several += 1
    values = similarity[found[:several]]
    bound = np.float32(-np.inf)
    if several > k:
        bound = np.partition(values, several - k)[several - k]
    for place in range(several):
        if values[place] >= bound:
            weight = values[place] * values[place]
            for entry in range(users.starts[found[place]], users.starts[found[place] + 1]):
                out[users.items[entry]] += weight
