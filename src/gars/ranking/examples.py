"""Training examples: for each user, part of their list is hidden and the rest must find it.

The retriever that proposes the candidates must not have seen the user (the caller fits one per fold of users);
otherwise channel scores look better in training than they ever will in serving.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    """Many lists, padded to the same length with places no head is asked about."""

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

    def __len__(self) -> int:
        return len(self.rows)


def stack(lists: Iterator[RankingList], *, length: int, n_features: int, n_taste: int) -> RankingLists:
    """Pad and stack; a list longer than ``length`` loses its last places."""
    kept = list(lists)
    features = np.zeros((len(kept), length, n_features), np.float32)
    rows = np.zeros((len(kept), length), np.int32)
    order = np.full((len(kept), length), NOT_ASKED, np.float32)
    like = np.full((len(kept), length), NOT_ASKED, np.float32)
    for u, one in enumerate(kept):
        n = min(length, len(one.rows))
        features[u, :n], rows[u, :n] = one.features[:n], one.rows[:n]
        order[u, :n], like[u, :n] = one.order[:n], one.like[:n]
    taste = np.array([one.taste for one in kept], np.float32).reshape(len(kept), n_taste)
    return RankingLists(features, rows, taste, order, like)
