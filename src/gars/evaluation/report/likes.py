"""Measure the like predictions of many models for the same held-out rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gars.domain import metrics
from gars.domain.history import LIKED_ABOVE, Rating
from gars.evaluation import breakdowns, predictors
from gars.evaluation.baselines.model import LikeModel
from gars.evaluation.report.results import Comparison, Group, LikeModelResult, LikesResult, Role
from gars.evaluation.scores import LikeScores
from gars.library.recommender import Recommender
from gars.runtime.progress import Progress

Histories = dict[int, list[Rating]]
CUTS = (0, 1, 3)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutRows:
    """Held-out ratings (m,) and the histories of their users."""

    user: NDArray[np.int64]
    anime_id: NDArray[np.int64]
    rating: NDArray[np.float64]
    histories: Histories


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedLikeModel:
    """A model of the table."""

    model: LikeModel
    role: Role
    also_cut: bool = True


def measure(
    evaluated: Sequence[EvaluatedLikeModel],
    recommender: Recommender,
    held: HeldOutRows,
    *,
    protocol: str,
    data: str,
    fit_seconds: float,
    cuts: bool,
    seed: int,
    progress: Progress,
) -> LikesResult:
    """Every metric and breakdown of every model. ``cuts`` also shows less of the same users."""

    def predictions(models: Sequence[LikeModel], histories: Histories) -> dict[str, predictors.Predictions]:
        return predictors.predict_likes(models, recommender, histories, held.user, held.anime_id, progress)

    found = predictions([one.model for one in evaluated], held.histories)
    liked = held.rating > LIKED_ABOVE
    scores = {name: LikeScores(held.user, liked, one.p) for name, one in found.items()}
    groups = list(_groups(recommender, held))
    shorter: dict[str, list[Group]] = {}
    for length in CUTS if cuts else ():
        shown = _cut(held.histories, length, np.random.default_rng([seed, length]))
        for name, other in predictions([one.model for one in evaluated if one.also_cut], shown).items():
            group = _group("cut", str(length), LikeScores(held.user, liked, other.p), seed)
            shorter.setdefault(name, []).extend(group)
    models = []
    for one in evaluated:
        name = one.model.name
        values = scores[name].values()
        models.append(
            LikeModelResult(
                name=name,
                role=one.role,
                metrics=scores[name].intervals(seed),
                values={key: None if np.isnan(values[key]) else values[key] for key in ("gauc", "log_loss", "ece")},
                scoring_ms=found[name].ms,
                reliability=metrics.reliability(liked, found[name].p),
                groups=[
                    *shorter.get(name, ()),
                    *(
                        group
                        for kind, label, rows in groups
                        for group in _group(kind, label, scores[name].take(rows), seed)
                    ),
                ],
            )
        )
    auc = {one.model.name: scores[one.model.name].values()["auc"] for one in evaluated if one.role != "pipeline"}
    best, product = max(auc, key=lambda name: auc[name]), evaluated[-1].model.name
    others = [best, *(one.model.name for one in evaluated if one.model.name not in (best, product))]
    return LikesResult(
        protocol=protocol,
        data=data,
        rows=len(held.user),
        users=len(np.unique(held.user)),
        fit_seconds=fit_seconds,
        baseline=best,
        models=models,
        comparisons=[
            Comparison(model=product, against=name, gains=scores[product].gain_over(scores[name], seed))
            for name in others
        ],
    )


GroupKind = Literal["cut", "history", "popularity", "franchise"]


def _group(kind: GroupKind, name: str, scores: LikeScores, seed: int) -> Iterator[Group]:
    """One group, unless it has likes only or none: AUC is not defined there."""
    if scores.liked.any() and not scores.liked.all():
        yield Group(kind=kind, name=name, size=len(scores.liked), metrics=scores.intervals(seed))


def _groups(recommender: Recommender, held: HeldOutRows) -> Iterator[tuple[GroupKind, str, NDArray[np.bool_]]]:
    """Rows by the length of their user's history, the popularity of their item, and whether its franchise is known."""
    table = recommender.engine.retriever.items
    users, code = np.unique(held.user, return_inverse=True)
    shown = [held.histories.get(int(user), []) for user in users]
    lengths = breakdowns.history_groups(np.array([len(one) for one in shown], np.int64))[code]
    for place, (_, name) in enumerate(breakdowns.HISTORY_LENGTHS):
        yield "history", name, lengths == place
    row = table.rows(held.anime_id)
    popularity = breakdowns.popularity_groups(table.rated_counts)
    fifth = popularity[np.maximum(row, 0)]
    for place in range(breakdowns.POPULARITY_GROUPS):
        titles = int(((popularity == place) & (table.rated_counts > 0)).sum())
        yield "popularity", f"{place + 1} ({titles:,} titles)", fifth == place
    if table.n_franchises < len(table):
        known = np.zeros(len(row), np.bool_)
        for place, history in enumerate(shown):
            own = table.rows(np.array([one.anime_id for one in history], np.int64))
            mine = code == place
            known[mine] = np.isin(table.franchises[np.maximum(row[mine], 0)], table.franchises[own[own >= 0]])
        yield "franchise", "of a franchise on the list", known
        yield "franchise", "of a new franchise", ~known


def _cut(histories: Histories, length: int, rng: np.random.Generator) -> Histories:
    """The same users, of whom only ``length`` titles drawn at random are shown."""
    return {
        user: [history[place] for place in np.sort(rng.permutation(len(history))[:length])]
        for user, history in histories.items()
    }
