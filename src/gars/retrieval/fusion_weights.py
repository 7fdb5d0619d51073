"""Weights of channels in the fused order, by coordinate search on the lists of held-out users.

Metzler & Croft, "Linear feature-based models for information retrieval", Information Retrieval 2007: the metric itself
is what is searched for, one weight at a time, since it has no gradient. Recall and NDCG at ``CUT`` count alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

CUT = 20
_DISCOUNT = (1 / np.log2(np.arange(2, CUT + 2))).astype(np.float64)
_IDEAL = np.cumsum(_DISCOUNT)
_FIRST, _LATER = (0.0, 0.25, 0.5, 2.0, 4.0), (0.0, 0.7, 0.85, 1.2, 1.5)
"""Factors of a weight that are tried, in the first round and in later ones."""
ROUNDS = 3


class HeldOutUser(NamedTuple):
    """One held-out user."""

    scores: Floats
    """(c, m) scaled scores of candidates."""
    hidden: Flags
    """(m,) which of them were hidden."""
    n_hidden: int
    """All hidden entries, also those that are no candidates."""


class Metrics(NamedTuple):
    """Means over users."""

    recall: float
    ndcg: float


@dataclass(slots=True)
class UserMetrics:
    """Recall and NDCG at ``CUT``, user by user."""

    recall: list[float] = field(default_factory=list)
    ndcg: list[float] = field(default_factory=list)

    def add(self, hits: Flags, n_targets: int) -> None:
        """Add a list of at most ``CUT`` places, best first, of a user with so many targets."""
        if n_targets:
            self.recall.append(float(hits.sum()) / n_targets)
            self.ndcg.append(float(_DISCOUNT[: len(hits)] @ hits) / float(_IDEAL[min(CUT, n_targets) - 1]))

    def mean(self) -> Metrics:
        """Means over users, 0 without any."""
        return Metrics(float(np.mean(self.recall or [0.0])), float(np.mean(self.ndcg or [0.0])))


@dataclass(frozen=True, slots=True, eq=False)
class _Padded:
    """The candidates of all users in one block, so that a trial is one product."""

    scores: Floats
    """(c, u, m)"""
    hidden: Flags
    """(u, m)"""
    outside: Flags
    """(u, m) places that hold no candidate."""
    n_hidden: NDArray[np.int64]


def _pad(users: Sequence[HeldOutUser], c: int) -> _Padded:
    width = max([CUT, *(len(user.hidden) for user in users)])
    scores = np.zeros((c, len(users), width), np.float32)
    hidden, outside = np.zeros((len(users), width), np.bool_), np.ones((len(users), width), np.bool_)
    for place, user in enumerate(users):
        m = len(user.hidden)
        scores[:, place, :m], hidden[place, :m], outside[place, :m] = user.scores, user.hidden, False
    return _Padded(scores, hidden, outside, np.maximum(1, [user.n_hidden for user in users]))


def _metrics(block: _Padded, weights: Floats) -> Metrics:
    fused = np.tensordot(weights.astype(np.float32), block.scores, 1)
    fused[block.outside] = -np.inf
    best = np.argpartition(-fused, CUT - 1, axis=1)[:, :CUT]
    order = np.argsort(-np.take_along_axis(fused, best, axis=1), axis=1, kind="stable")
    hits = np.take_along_axis(block.hidden, np.take_along_axis(best, order, axis=1), axis=1)
    ideal = _IDEAL[np.minimum(CUT, block.n_hidden) - 1]
    return Metrics(float((hits.sum(axis=1) / block.n_hidden).mean()), float((hits @ _DISCOUNT / ideal).mean()))


def metrics(users: Sequence[HeldOutUser], weights: Floats) -> Metrics:
    """Mean recall and NDCG at ``CUT`` of the order by the weighted sum of scores. ``weights`` (c,)"""
    return _metrics(_pad(users, len(weights)), weights) if users else Metrics(0.0, 0.0)


def search(users: Sequence[HeldOutUser], c: int, *, start: Floats | None = None) -> Floats:
    """Search the weights (c,) of the best recall plus NDCG, from several starts; ``start`` wins a tie.

    The other starts are the best single channel and all channels alike.
    """
    if not users:
        return np.ones(c, np.float32) if start is None else start
    block = _pad(users, c)

    def worth(weights: Floats) -> float:
        return sum(_metrics(block, weights))

    alone = max(np.eye(c, dtype=np.float32), key=worth)
    starts = [alone, np.ones(c, np.float32)] if start is None else [start.astype(np.float32), alone]
    return max((_climb(worth, one) for one in starts), key=worth)


def _climb(worth: Callable[[Floats], float], start: Floats) -> Floats:
    """Change one weight at a time while that is better."""
    weights, best = start, worth(start)
    for number in range(ROUNDS):
        before = best
        for channel in range(len(weights)):
            here = float(weights[channel])
            tried = [here * factor for factor in (_LATER if number else _FIRST)] if here else [0.1, 0.3, 1.0, -0.1]
            for value in tried:
                changed = weights.copy()
                changed[channel] = value
                found = worth(changed)
                if found > best:
                    weights, best = changed, found
        if best - before < 1e-5:
            break
    return weights
