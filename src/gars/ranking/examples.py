"""Training examples: for each user, part of their list is hidden and the rest must find it.

The retriever that proposes the candidates must not have seen the user (the caller fits one per fold of users);
otherwise channel scores look better in training than they ever will in serving.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_ASKED = -1.0
"""Label of a place that a head is not trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class RankingList:
    """One user with L places: candidates, then rated titles that were hidden but not proposed."""

    features: NDArray[np.float32]
    """(L, f)"""
    rows: NDArray[np.int64]
    """(L,) rows of the item table."""
    taste: NDArray[np.float32]
    """(t,) the user's genre profile."""
    order: NDArray[np.float32]
    """(L,) 1 = hidden and liked, 0 = a candidate that was not, NOT_ASKED = not a candidate."""
    like: NDArray[np.float32]
    """(L,) 1 = liked, 0 = rated but not liked, NOT_ASKED = not rated."""


@dataclass(frozen=True, slots=True, eq=False)
class RankingLists:
    """Many lists, padded to the same length with places that no head is trained on.

    The labels of the like head come first in each list, so that it can skip the rest.
    """

    features: NDArray[np.float32]
    """(u, L, f)"""
    rows: NDArray[np.int32]
    """(u, L)"""
    taste: NDArray[np.float32]
    """(u, t)"""
    order: NDArray[np.float32]
    """(u, L)"""
    like: NDArray[np.float32]
    """(u, L)"""
    n_like: int
    """The largest number of labels of the like head in a list."""

    def __len__(self) -> int:
        return len(self.rows)


def stack(lists: Iterator[RankingList], *, at_most: int, length: int, n_features: int, n_taste: int) -> RankingLists:
    """Pad and stack up to ``at_most`` lists; a list longer than ``length`` loses its last places.

    Lists are written into their place as they come: they are by far the largest thing in training.
    """
    features = np.zeros((at_most, length, n_features), np.float32)  # pages that are never written to cost nothing
    rows = np.zeros((at_most, length), np.int32)
    taste = np.zeros((at_most, n_taste), np.float32)
    order = np.full((at_most, length), NOT_ASKED, np.float32)
    like = np.full((at_most, length), NOT_ASKED, np.float32)
    count, n_like = 0, 1
    for u, one in enumerate(lists):
        n = min(length, len(one.rows))
        place = np.argsort(one.like[:n] == NOT_ASKED, kind="stable")
        features[u, :n], rows[u, :n], taste[u] = one.features[place], one.rows[place], one.taste
        order[u, :n], like[u, :n] = one.order[place], one.like[place]
        n_like = max(n_like, int((one.like[:n] != NOT_ASKED).sum()))
        count = u + 1
    return RankingLists(features[:count], rows[:count], taste[:count], order[:count], like[:count], n_like)


def joined(one: RankingLists, other: RankingLists) -> RankingLists:
    """The lists of both, padded to the same length."""
    length = max(one.rows.shape[1], other.rows.shape[1])

    def padded(array: NDArray[Any], fill: float = 0) -> NDArray[Any]:
        width = [(0, 0), (0, length - array.shape[1]), *[(0, 0)] * (array.ndim - 2)]
        return np.pad(array, width, constant_values=fill)

    return RankingLists(
        np.concatenate([padded(one.features), padded(other.features)]),
        np.concatenate([padded(one.rows), padded(other.rows)]),
        np.concatenate([one.taste, other.taste]),
        np.concatenate([padded(one.order, NOT_ASKED), padded(other.order, NOT_ASKED)]),
        np.concatenate([padded(one.like, NOT_ASKED), padded(other.like, NOT_ASKED)]),
        max(one.n_like, other.n_like),
    )
