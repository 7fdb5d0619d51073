"""A candidate against the model that serves, on the same held-out users: paired differences with intervals."""

from __future__ import annotations

import warnings

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain import metrics
from gars.evaluation import predictors
from gars.evaluation.baselines.model import Shown
from gars.evaluation.predictors import BothStages, LikeHead
from gars.evaluation.scores import LikeScores, ListScores, score_lists
from gars.library.recommender import Recommender, UnknownIdsWarning
from gars.pipeline.holdout_users import HoldoutUsers
from gars.runtime.progress import Progress

FEWEST_USERS = 30
"""With fewer users an interval is too wide to decide."""
GUARDED = ("ndcg@10", "ndcg@100", "recall@50", "auc", "log loss")


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of both models. ``gain`` is positive where the candidate is better, whichever way the metric goes."""

    metric: str
    candidate: float
    other: float
    gain: float
    low: float
    high: float
    """95 % interval of the gain, users resampled in pairs."""
    guarded: bool

    @property
    def is_worse(self) -> bool:
        """Worse beyond its interval."""
        return self.high < 0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The decision to promote the candidate, with reasons."""

    promote: bool
    why: str
    against: str
    """Version of the model it was compared with, or what else."""
    users: int
    compared: list[Compared]


def decide(compared: list[Compared], *, against: str, users: int) -> Verdict:
    """Promote unless a guarded metric is worse beyond its interval."""
    worse = [one for one in compared if one.guarded and one.is_worse]
    losses = ", ".join(f"{one.metric} {one.gain:+.4f} [{one.low:+.4f}, {one.high:+.4f}]" for one in worse)
    why = (
        f"worse than {against}: {losses}" if worse else f"no guarded metric is worse than {against} beyond its interval"
    )
    return Verdict(promote=not worse, why=why, against=against, users=users, compared=compared)


def against_serving(
    candidate: Recommender, serving: Recommender, holdout: HoldoutUsers, *, against: str, seed: int, progress: Progress
) -> Verdict:
    """Both models over the titles of the candidate: the other cannot find those it lacks.

    ``holdout`` are users neither model was trained on.
    """
    items = candidate.engine.retriever.items.anime_ids
    mine, theirs = (_lists(model, holdout, items, progress) for model in (candidate, serving))
    compared = _compare_lists(mine, theirs, seed)
    compared += _compare_likes(_likes(candidate, holdout, progress), _likes(serving, holdout, progress), seed)
    return decide(compared, against=against, users=len(holdout.users))


def against_popularity(candidate: Recommender, holdout: HoldoutUsers, *, seed: int, progress: Progress) -> Verdict:
    """The least a model must do, where nothing else can be compared with: better lists than the popular one."""
    items = candidate.engine.retriever.items.anime_ids
    mine = _lists(candidate, holdout, items, progress)
    popular = _lists(candidate, holdout, items, progress, _Popular(candidate.engine.retriever.popularity))
    compared = _compare_lists(mine, popular, seed)
    return decide(compared, against="the popular list", users=len(holdout.users))


class _Popular:
    """Ranks the most watched titles for every user."""

    name = "popularity"

    def __init__(self, popularity: NDArray[np.float32]) -> None:
        self._order = np.argsort(-popularity, kind="stable").astype(np.int64)

    def rank(self, shown: Shown, k: int) -> NDArray[np.int64]:
        """The allowed rows, most popular first."""
        return self._order[shown.allowed[self._order]][:k]


def _lists(
    model: Recommender,
    holdout: HoldoutUsers,
    items: NDArray[np.int64],
    progress: Progress,
    ranker: _Popular | None = None,
) -> ListScores:
    with_targets = [case for case in holdout.cases if len(case.targets)]
    ranked_by = ranker or BothStages(model.engine)
    with warnings.catch_warnings(action="ignore", category=UnknownIdsWarning):  # an older model knows fewer titles
        rows = predictors.rank_lists([ranked_by], model, with_targets, items, progress)[ranked_by.name].rows
    table = model.engine.retriever.items.anime_ids
    ids = np.where(rows >= 0, table[rows], -1)
    targets = [np.intersect1d(case.targets, items) for case in with_targets]
    return score_lists(ids, targets, len(items)) if len(ids) else ListScores({}, 0.0)


def _likes(model: Recommender, holdout: HoldoutUsers, progress: Progress) -> LikeScores:
    """Predictions of the hidden ratings, a row each; a title the model lacks gets the mean rate."""
    user = np.repeat(holdout.users, [len(ids) for ids in holdout.hidden_ids])
    ids = np.concatenate([*holdout.hidden_ids, np.empty(0, np.int64)])
    liked = np.concatenate([*holdout.hidden_liked, np.empty(0, np.bool_)])
    histories = {int(one): case.history for one, case in zip(holdout.users, holdout.cases, strict=True)}
    head = LikeHead(model.engine)
    with warnings.catch_warnings(action="ignore", category=UnknownIdsWarning):
        found = predictors.predict_likes([head], model, histories, user, ids, progress)[head.name]
    return LikeScores(user, liked, found.p)


def _compare_lists(mine: ListScores, theirs: ListScores, seed: int) -> list[Compared]:
    gains = mine.gain_over(theirs, seed)
    return [
        _compared(name, float(mine.per_user[name].mean()), float(theirs.per_user[name].mean()), gain)
        for name, gain in gains.items()
    ]


def _compare_likes(mine: LikeScores, theirs: LikeScores, seed: int) -> list[Compared]:
    if not 0 < mine.liked.sum() < len(mine.liked):
        return []  # where everything was liked there is no AUC
    own, others = mine.values(), theirs.values()
    gains = mine.gain_over(theirs, seed)
    compared = [_compared(name, own[name], others[name], gains[name]) for name in ("auc", "accuracy")]
    saved = metrics.bootstrap(_log_loss_of_users(theirs) - _log_loss_of_users(mine), np.random.default_rng(seed))
    return [*compared, _compared("log loss", own["log_loss"], others["log_loss"], saved)]


def _compared(name: str, mine: float, theirs: float, gain: metrics.Interval) -> Compared:
    return Compared(
        metric=name,
        candidate=mine,
        other=theirs,
        gain=gain.mean,
        low=gain.low,
        high=gain.high,
        guarded=name in GUARDED,
    )


def _log_loss_of_users(scores: LikeScores) -> NDArray[np.float64]:
    """Each user's mean loss. → (u,)"""
    _, code = np.unique(scores.user, return_inverse=True)
    p = np.clip(scores.p, 1e-7, 1 - 1e-7)
    loss = -np.where(scores.liked, np.log(p), np.log1p(-p))
    return np.asarray(np.bincount(code, loss) / np.bincount(code), np.float64)
