"""Metrics of ranked lists and of predicted probabilities, per user, with bootstrap intervals.

Ranked lists are scored against *all* items (never sampled negatives: Krichene & Rendle, "On Sampled Metrics for Item
Recommendation", KDD 2020). Every per-user metric returns one value a user, so that models are compared paired.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def hits(ranked: NDArray[np.int64], targets: list[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Mask the ranked items that are targets. ``ranked`` (n, k), -1 pads; an array of targets a user. → (n, k)"""
    return np.stack([np.isin(row, wanted) & (row >= 0) for row, wanted in zip(ranked, targets, strict=True)])


def recall_at(hit: NDArray[np.bool_], n_targets: NDArray[np.int64], k: int) -> Floats:
    """Hits in the first k over min(k, targets). (n, K), (n,) → (n,)"""
    return np.asarray(hit[:, :k].sum(1) / np.maximum(1, np.minimum(k, n_targets)), np.float64)


def ndcg_at(hit: NDArray[np.bool_], n_targets: NDArray[np.int64], k: int) -> Floats:
    """Binary NDCG; the ideal list has min(k, targets) hits on top. (n, K), (n,) → (n,)"""
    discount = 1 / np.log2(np.arange(k) + 2)
    gain = hit[:, :k] @ discount[: hit.shape[1]]
    ideal = np.concatenate([[np.inf], np.cumsum(discount)])[np.minimum(k, n_targets)]
    return np.asarray(gain / ideal, np.float64)


def coverage_at(ranked: NDArray[np.int64], n_items: int, k: int) -> float:
    """Share of all items that appear in the first k of at least one user."""
    shown = ranked[:, :k]
    return len(np.unique(shown[shown >= 0])) / n_items


def self_information_at(ranked: NDArray[np.int64], shares: Floats, k: int) -> Floats:
    """Novelty: mean ``-log2`` of the share of users who have each of the first k, in bits. (n, K), (items,) → (n,)

    ``ranked`` holds places in ``shares``, -1 pads; a user without a list has NaN. Zhou et al., "Solving the apparent
    diversity-accuracy dilemma of recommender systems", PNAS 2010.
    """
    shown = ranked[:, :k]
    bits = -np.log2(np.maximum(shares, 1e-12))
    return _mean_of_shown(np.where(shown >= 0, bits[shown], 0.0), shown)


def share_at(ranked: NDArray[np.int64], members: NDArray[np.bool_], k: int) -> Floats:
    """Share of the first k that are ``members`` (items,), such as the most popular tenth. (n, K) → (n,)"""
    shown = ranked[:, :k]
    return _mean_of_shown(np.where(shown >= 0, members[shown], False).astype(np.float64), shown)


def gini(exposure: Floats) -> float:
    """Inequality of how often each item is shown: 0 = all alike, near 1 = a few take everything. (items,)"""
    total = float(exposure.sum())
    if not total:
        return float("nan")
    n, ordered = len(exposure), np.sort(exposure)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))


def exposure_at(ranked: NDArray[np.int64], n_items: int, k: int) -> Floats:
    """In how many lists each item is among the first k. (n, K) → (items,)"""
    shown = ranked[:, :k]
    return np.bincount(shown[shown >= 0], minlength=n_items).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions of about the same probability, and how often they came true."""

    rows: int
    predicted: float
    """Their mean."""
    liked: float
    """Share that was liked."""


def reliability(liked: NDArray[np.bool_], p: Floats, bins: int = 15) -> list[ReliabilityBin]:
    """The bins that ``calibration_error`` sums over, without the empty ones."""
    which = _bin_of(p, bins)
    counts, predicted, positive = (np.bincount(which, weights, bins) for weights in (None, p, liked))
    return [
        ReliabilityBin(int(counts[b]), float(predicted[b] / counts[b]), float(positive[b] / counts[b]))
        for b in np.flatnonzero(counts)
    ]


def accuracy(liked: NDArray[np.bool_], p: Floats) -> float:
    """Share of rows on the right side of 0.5."""
    return float(np.mean((p >= 0.5) == liked))


def log_loss(liked: NDArray[np.bool_], p: Floats) -> float:
    """Mean negative log likelihood, in nats."""
    q = np.clip(p, 1e-7, 1 - 1e-7)
    return float(-np.mean(np.where(liked, np.log(q), np.log1p(-q))))


def auc(liked: NDArray[np.bool_], p: Floats) -> float:
    """Probability that a liked row scores above one that was not, ties counting half. NaN without both kinds."""
    n_pos = int(liked.sum())
    n_neg = len(liked) - n_pos
    if not n_pos or not n_neg:
        return float("nan")
    return float((_mid_ranks(p)[liked].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def gauc(user: NDArray[np.int64], liked: NDArray[np.bool_], p: Floats) -> float:
    """AUC within each user, weighted by the user's rows; users with one kind only are left out.

    Zhou et al., "Deep Interest Network", KDD 2018.
    """
    order = np.argsort(user, kind="stable")
    bounds = np.flatnonzero(np.diff(user[order])) + 1
    total = weight = 0.0
    for rows in np.split(order, bounds):
        value = auc(liked[rows], p[rows])
        if not np.isnan(value):
            total, weight = total + value * len(rows), weight + len(rows)
    return total / weight if weight else float("nan")


def calibration_error(liked: NDArray[np.bool_], p: Floats, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Guo et al., ICML 2017)."""
    which = _bin_of(p, bins)
    gap = np.abs(np.bincount(which, p, bins) - np.bincount(which, liked, bins))
    return float(gap.sum() / len(p))


def _bin_of(p: Floats, bins: int) -> NDArray[np.int64]:
    return np.minimum((p * bins).astype(np.int64), bins - 1)


def _mean_of_shown(values: Floats, shown: NDArray[np.int64]) -> Floats:
    count = (shown >= 0).sum(axis=1)
    return np.where(count > 0, values.sum(axis=1) / np.maximum(count, 1), np.nan)


def _mid_ranks(values: Floats) -> Floats:
    """1-based ranks; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its bootstrap percentile interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(values: Floats, rng: np.random.Generator, *, resamples: int = 1000, level: float = 0.95) -> Interval:
    """Interval of the mean of per-user ``values`` (n,), resampling users."""
    n = len(values)
    if not n:
        return Interval(float("nan"), float("nan"), float("nan"))
    # multinomial counts are the resample; one matrix product instead of ``resamples`` gathers
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    means = weights @ values / n
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(np.mean(values)), float(low), float(high))
