"""Score ranked lists and like predictions: every metric with its bootstrap interval over users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.domain import metrics
from gars.domain.metrics import Interval

Floats = NDArray[np.float64]
RESAMPLES = 1000
LIKE_RESAMPLES = 300


@dataclass(frozen=True, slots=True, eq=False)
class ListScores:
    """Metrics of one model's lists, a value a user, so that models can be compared paired."""

    per_user: dict[str, Floats]
    coverage: float
    """Share of all items in the first ten of at least one user."""

    def intervals(self, seed: int) -> dict[str, Interval]:
        """Return mean and 95 % interval of each metric; the same seed resamples the same users for every model."""
        return {
            name: metrics.bootstrap(values, np.random.default_rng(seed), resamples=RESAMPLES)
            for name, values in self.per_user.items()
        }

    def gain_over(self, other: ListScores, seed: int) -> dict[str, Interval]:
        """Return the paired difference to another model on the same users."""
        return {
            name: metrics.bootstrap(values - other.per_user[name], np.random.default_rng(seed), resamples=RESAMPLES)
            for name, values in self.per_user.items()
        }


def score_lists(ranked: NDArray[np.int64], targets: list[NDArray[np.int64]], n_items: int) -> ListScores:
    """Score lists against *all* items: ``ranked`` (u, ≥ 100) padded with -1, one array of targets a user."""
    hit = metrics.hits(ranked, targets)
    n_targets = np.array([len(wanted) for wanted in targets], np.int64)
    per_user = {
        "recall@20": metrics.recall_at(hit, n_targets, 20),
        "recall@50": metrics.recall_at(hit, n_targets, 50),
        "ndcg@10": metrics.ndcg_at(hit, n_targets, 10),
        "ndcg@100": metrics.ndcg_at(hit, n_targets, 100),
    }
    return ListScores(per_user, metrics.coverage_at(ranked, n_items, 10))


@dataclass(frozen=True, slots=True, eq=False)
class LikeScores:
    """Predictions of "rated above 7" for held-out rows (m,)."""

    user: NDArray[np.int64]
    liked: NDArray[np.bool_]
    p: Floats

    def values(self) -> dict[str, float]:
        """Return every metric on all rows."""
        return {
            "accuracy": metrics.accuracy(self.liked, self.p),
            "auc": metrics.auc(self.liked, self.p),
            "gauc": metrics.gauc(self.user, self.liked, self.p),
            "log_loss": metrics.log_loss(self.liked, self.p),
            "ece": metrics.calibration_error(self.liked, self.p),
        }

    def intervals(self, seed: int, *, resamples: int = LIKE_RESAMPLES) -> dict[str, Interval]:
        """Return accuracy and AUC with 95 % intervals, resampling users (rows of a user are not independent)."""
        values = self.values()
        return {name: _percentiles(values[name], one) for name, one in self._samples(seed, resamples).items()}

    def gain_over(self, other: LikeScores, seed: int, *, resamples: int = LIKE_RESAMPLES) -> dict[str, Interval]:
        """Return the paired difference to another model's predictions of the same rows."""
        mine, theirs = self.values(), other.values()
        own, others = self._samples(seed, resamples), other._samples(seed, resamples)
        return {name: _percentiles(mine[name] - theirs[name], own[name] - others[name]) for name in own}

    def take(self, rows: NDArray[np.bool_]) -> LikeScores:
        """Return some of the rows."""
        return LikeScores(self.user[rows], self.liked[rows], self.p[rows])

    def _samples(self, seed: int, resamples: int) -> dict[str, Floats]:
        """Compute accuracy and AUC of resampled users; the same seed draws the same users for every model."""
        users, code = np.unique(self.user, return_inverse=True)
        order = np.argsort(self.p, kind="stable")
        right = (self.p >= 0.5) == self.liked
        rng = np.random.default_rng(seed)
        accuracy, auc = np.empty(resamples), np.empty(resamples)
        for sample in range(resamples):
            weight = rng.multinomial(len(users), np.full(len(users), 1 / len(users)))[code].astype(np.float64)
            accuracy[sample] = weight[right].sum() / weight.sum()
            auc[sample] = _weighted_auc(self.liked[order], weight[order])
        return {"accuracy": accuracy, "auc": auc}


def _percentiles(value: float, samples: Floats) -> Interval:
    return Interval(value, *(float(q) for q in np.quantile(samples, [0.025, 0.975])))


def _weighted_auc(liked: NDArray[np.bool_], weight: Floats) -> float:
    """Compute the AUC of rows in ascending order of score; ties count by their position."""
    below = np.cumsum(weight * ~liked)
    positive = weight * liked
    return float((positive * below).sum() / max(positive.sum() * below[-1], 1e-12))
