"""Break the scores of a model down by groups of users and of targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gars.evaluation.scores import ListScores, score_lists

HISTORY_LENGTHS: tuple[tuple[int, str], ...] = (
    (0, "0"),
    (1, "1"),
    (5, "2–5"),
    (20, "6–20"),
    (100, "21–100"),
    (np.iinfo(np.int64).max, "over 100"),
)
"""Longest history of each group, and its name."""
POPULARITY_GROUPS = 5
TRAINING_RATINGS: tuple[tuple[float, str], ...] = ((0, "0"), (2, "1–2"), (9, "3–9"), (np.inf, "10 or more"))
"""Most training ratings of a title of each group, and the group's name."""


def history_groups(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index in ``HISTORY_LENGTHS`` of each number of titles. (u,) → (u,)"""
    return np.searchsorted(np.array([longest for longest, _ in HISTORY_LENGTHS]), lengths)


def evidence_groups(rated_counts: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the index in ``TRAINING_RATINGS`` of each title's number of training ratings. (n,) → (n,)"""
    return np.searchsorted(np.array([most for most, _ in TRAINING_RATINGS]), rated_counts)


def popularity_groups(counts: NDArray[np.float32], n_groups: int = POPULARITY_GROUPS) -> NDArray[np.int64]:
    """Groups of items that each hold about the same share of all training entries, 0 = the most popular. (n,) → (n,)

    Equal shares of *entries*, not of items: a tenth of the items holds most of what people watch, and groups of equally
    many items would put nearly every target into the first.
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(counts[order], dtype=np.float64)[:-1]])
    total = max(float(counts.sum(dtype=np.float64)), 1e-12)
    groups = np.empty(len(counts), np.int64)
    groups[order] = np.minimum((before / total * n_groups).astype(np.int64), n_groups - 1)
    return groups


def of_users(scores: ListScores, users: NDArray[np.bool_]) -> ListScores:
    """Return the scores of some users; coverage stays that of all."""
    return ListScores({name: values[users] for name, values in scores.per_user.items()}, scores.coverage)


def of_targets(
    ranked: NDArray[np.int64], targets: Sequence[NDArray[np.int64]], belongs: Sequence[NDArray[np.bool_]], n_items: int
) -> ListScores | None:
    """Score the same lists on a subset of the targets; users without such a target are left out.

    ``belongs`` marks the targets (t,) of each user in the subset. Other items of a list count as misses.
    """
    users = [place for place, mask in enumerate(belongs) if mask.any()]
    if not users:
        return None
    return score_lists(ranked[users], [targets[place][belongs[place]] for place in users], n_items)
