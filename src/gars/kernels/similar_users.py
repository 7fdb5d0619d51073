"""Sums over the lists of similar users."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled, composed
from gars.kernels.neighbours import CSR, entries_of
from gars.kernels.quantised import Quantised, multiply
from gars.kernels.top_k import select_top_k

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class SimilarUsers(NamedTuple):
    """Users to be found, with their lists over n items."""

    compared: Quantised
    """(u, d) the users as they are looked through."""
    users: Floats
    """(u, d) their unit vectors: the weight of the nearest is exact."""
    lists: CSR
    """(u, n)"""
    order: NDArray[np.int32]
    """(u,) all users."""


def _add_lists(users: Floats, user: Floats, squared: int, nearest: Ints, lists: CSR, out: Floats) -> None:
    nearest = nearest[nearest >= 0]
    length = np.sqrt(user @ user)
    weights = np.maximum(users[nearest] @ user, np.float32(0)) / (length if length > 0 else np.float32(1))
    for _ in range(squared):
        weights = weights * weights
    entry, source = entries_of(lists, nearest)
    np.add.at(out, lists.indices[entry], lists.data[entry] * weights[source])


@compiled(plain=_add_lists, any_order=True)
def add_lists(users: Floats, user: Floats, squared: int, nearest: Ints, lists: CSR, out: Floats) -> None:
    """Add the lists (u, n) of some ``users`` (k,), -1 pads, to ``out`` (n,), each with a weight.

    The weight is the cosine of the vector of ``user`` (d,) and the other's unit vector (u, d), at least 0, squared so
    many times.
    """
    length = np.float32(0)
    for k in range(len(user)):
        length += user[k] * user[k]
    length = np.sqrt(length) if length > 0 else np.float32(1)
    for i in range(len(nearest)):
        if nearest[i] >= 0:
            other, weight = users[nearest[i]], np.float32(0)
            for k in range(len(user)):
                weight += other[k] * user[k]
            weight = max(weight, np.float32(0)) / length
            for _ in range(squared):
                weight *= weight
            start, end = np.uint64(lists.indptr[nearest[i]]), np.uint64(lists.indptr[nearest[i] + 1])
            items, values = lists.indices[start:end], lists.data[start:end]
            for entry in range(len(items)):
                out[items[entry]] += values[entry] * weight


@composed
def add_nearest(known: SimilarUsers, user: Floats, k: int, squared: int, out: Floats) -> None:
    """Add the lists of the k users nearest to one with vector ``user`` (d,) to ``out`` (n,); see ``add_lists``."""
    similarity, rounded = np.empty((1, len(known.order)), np.float32), np.empty_like(user)
    multiply(known.compared, known.order, known.order, user, rounded, similarity[0])
    nearest = np.empty((1, k), np.int64)
    select_top_k(similarity, known.order, nearest)
    add_lists(known.users, user, squared, nearest[0], known.lists, out)
