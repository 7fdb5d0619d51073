"""Measure the lists of many models for the same held-out users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gars.domain import metrics
from gars.domain.item_table import ItemTable
from gars.evaluation import breakdowns, predictors
from gars.evaluation.baselines.model import ListModel
from gars.evaluation.predictors import EvalUser, RankedLists
from gars.evaluation.protocols import cut
from gars.evaluation.report.results import Comparison, Group, ListModelResult, ListsResult, Role
from gars.evaluation.scores import ListScores, score_lists
from gars.library.recommender import Recommender
from gars.retrieval import content
from gars.runtime.progress import Progress

CUTS = (0, 1, 3)
"""Lengths of cut histories of the same users."""
FIRST = 10
"""Places of a list that coverage, novelty, diversity and popularity look at."""

RECENT = 2017
"""Titles that began in this year or later are younger than the ratings sample."""


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedListModel:
    """A model of the table."""

    model: ListModel
    role: Role
    timed: bool = True
    """False: its work is shared with others, so its time is not measured."""
    also_cut: bool = True
    """False: too slow to run again on cut histories."""


def measure(
    evaluated: Sequence[EvaluatedListModel],
    recommender: Recommender,
    cases: Sequence[EvalUser],
    items: NDArray[np.int64],
    *,
    protocol: str,
    data: str,
    fit_seconds: float,
    seed: int,
    progress: Progress,
) -> ListsResult:
    """Every metric and breakdown of every model. ``items`` are the ids of the ranked set."""
    table = recommender.engine.retriever.items
    ranked = predictors.rank_lists([one.model for one in evaluated], recommender, cases, items, progress)
    targets = [table.rows(case.targets) for case in cases]
    scores = {name: score_lists(lists.rows, targets, len(items)) for name, lists in ranked.items()}
    cuts = _on_cut_histories(evaluated, recommender, cases, items, seed, progress)
    character = _Character(recommender, np.flatnonzero(np.isin(table.anime_ids, items)))
    groups = _Groups(table, cases, targets, len(items), character.ranked_rows, seed)
    models = []
    for one in evaluated:
        name = one.model.name
        models.append(
            ListModelResult(
                name=name,
                role=one.role,
                metrics=scores[name].intervals(seed),
                coverage=scores[name].coverage,
                **character.of(ranked[name].rows),
                scoring_ms=ranked[name].ms if one.timed else None,
                groups=[*cuts.get(name, ()), *groups.of(scores[name], ranked[name])],
            )
        )
    singles = [one.model.name for one in evaluated if one.role != "pipeline"]
    best = max(singles, key=lambda name: scores[name].per_user["ndcg@100"].mean())
    return ListsResult(
        protocol=protocol,
        data=data,
        users=len(cases),
        items=len(items),
        fit_seconds=fit_seconds,
        baseline=best,
        models=models,
        comparisons=[
            Comparison(model=name, against=against, gains=scores[name].gain_over(scores[against], seed))
            for name, against in _pairs([one.model.name for one in evaluated], best, evaluated[-1].model.name)
        ],
    )


def _pairs(names: Sequence[str], best: str, product: str) -> Iterator[tuple[str, str]]:
    """The product against everything, the best baseline first."""
    yield product, best
    yield from ((product, name) for name in names if name not in (product, best))


def _on_cut_histories(
    evaluated: Sequence[EvaluatedListModel],
    recommender: Recommender,
    cases: Sequence[EvalUser],
    items: NDArray[np.int64],
    seed: int,
    progress: Progress,
) -> dict[str, list[Group]]:
    table = recommender.engine.retriever.items
    groups: dict[str, list[Group]] = {one.model.name: [] for one in evaluated}
    for length in CUTS:
        # without any title a single model has nothing to rank by
        able = [one for one in evaluated if length or one.role == "pipeline" or one.model.name == "popularity"]
        models = [one.model for one in able if one.also_cut]
        rng = np.random.default_rng([seed, length])
        shorter = cut([case for case in cases if len(case.history) > length], length, rng)
        targets = [table.rows(case.targets) for case in shorter]
        for name, lists in predictors.rank_lists(models, recommender, shorter, items, progress).items():
            found = score_lists(lists.rows, targets, len(items)).intervals(seed)
            groups[name].append(Group(kind="cut", name=str(length), size=len(shorter), metrics=found))
    return groups


class _Groups:
    """Breakdowns that need no second ranking."""

    def __init__(
        self,
        table: ItemTable,
        cases: Sequence[EvalUser],
        targets: list[NDArray[np.int64]],
        n_items: int,
        ranked_rows: NDArray[np.int64],
        seed: int,
    ) -> None:
        self._targets, self._n_items, self._seed = targets, n_items, seed
        self._history = breakdowns.history_groups(np.array([len(case.history) for case in cases], np.int64))
        counts = np.zeros(len(table), np.float32)
        counts[ranked_rows] = table.counts[ranked_rows]
        popularity = breakdowns.popularity_groups(counts)
        self._fifth_of = [popularity[np.maximum(wanted, 0)] for wanted in targets]
        self._fifths = [
            f"{place + 1} ({int((popularity[ranked_rows] == place).sum()):,} titles)"
            for place in range(breakdowns.POPULARITY_GROUPS)
        ]
        began = [table.years[np.maximum(wanted, 0)] for wanted in targets]
        self._recent = [years >= RECENT for years in began]
        evidence = breakdowns.evidence_groups(table.rated_counts)
        self._evidence_of = [evidence[np.maximum(wanted, 0)] for wanted in targets]
        self._known: list[NDArray[np.bool_]] | None = None
        if table.n_franchises < len(table):
            self._known = [
                np.isin(table.franchises[np.maximum(wanted, 0)], _franchises(table, case))
                for case, wanted in zip(cases, targets, strict=True)
            ]

    def of(self, scores: ListScores, lists: RankedLists) -> Iterator[Group]:
        for place, (_, name) in enumerate(breakdowns.HISTORY_LENGTHS):
            users = self._history == place
            if users.any():
                found = breakdowns.of_users(scores, users).intervals(self._seed)
                yield Group(kind="history", name=name, size=int(users.sum()), metrics=found)
        for place, name in enumerate(self._fifths):
            yield from self._of_targets("popularity", name, lists, [fifths == place for fifths in self._fifth_of])
        if any(recent.any() for recent in self._recent):
            yield from self._of_targets("began", f"{RECENT} or later", lists, self._recent)
            yield from self._of_targets("began", f"before {RECENT}", lists, [~recent for recent in self._recent])
        for place, (_, name) in enumerate(breakdowns.TRAINING_RATINGS):
            yield from self._of_targets("evidence", name, lists, [groups == place for groups in self._evidence_of])
        if self._known is not None:
            yield from self._of_targets("franchise", "of a franchise on the list", lists, self._known)
            yield from self._of_targets("franchise", "of a new franchise", lists, [~known for known in self._known])

    def _of_targets(
        self, kind: str, name: str, lists: RankedLists, belongs: list[NDArray[np.bool_]]
    ) -> Iterator[Group]:
        scores = breakdowns.of_targets(lists.rows, self._targets, belongs, self._n_items)
        if scores is not None:
            size = sum(bool(mask.any()) for mask in belongs)
            yield Group(kind=kind, name=name, size=size, metrics=scores.intervals(self._seed))  # type: ignore[arg-type]


def _franchises(table: ItemTable, case: EvalUser) -> NDArray[np.int32]:
    rows = table.rows(np.array([one.anime_id for one in case.history], np.int64))
    return table.franchises[rows[rows >= 0]]


class _Character:
    """Properties of lists apart from hits: novelty, diversity, share of popular titles."""

    def __init__(self, recommender: Recommender, ranked_rows: NDArray[np.int64]) -> None:
        table = recommender.engine.retriever.items
        self.ranked_rows = ranked_rows
        counts = table.counts[ranked_rows]
        self._shares = (table.counts / max(1, len(recommender.user_ids))).astype(np.float64)
        self._head = np.zeros(len(table), np.bool_)
        self._head[ranked_rows[np.argsort(-counts, kind="stable")[: max(1, len(counts) // 10)]]] = True
        described = content.describe(recommender.engine.anime)
        self._words = described if described.nnz else None

    def of(self, rows: NDArray[np.int64]) -> dict[str, float | None]:
        """Novelty, diversity, share of the head and Gini coefficient of lists (u, k)."""
        exposure = metrics.exposure_at(rows, len(self._head), FIRST)
        return {
            "novelty": _mean(metrics.self_information_at(rows, self._shares, FIRST)),
            "diversity": None if self._words is None else _mean(_distances(rows[:, :FIRST], self._words)),
            "head_share": _mean(metrics.share_at(rows, self._head, FIRST)),
            "gini": _number(metrics.gini(exposure[self.ranked_rows])),
        }


def _distances(rows: NDArray[np.int64], words: sp.csr_array) -> NDArray[np.float64]:
    """Mean 1 - cosine over the pairs of each list (u, k) of places in unit rows (n, words). → (u,)"""
    shown = rows >= 0
    count = shown.sum(axis=1)
    indptr = np.concatenate([[0], np.cumsum(count)])
    chosen = sp.csr_array(
        (np.ones(int(count.sum()), np.float32), rows[shown], indptr), shape=(len(rows), words.shape[0])
    )
    # the cosines of all pairs add up to the squared length of the sum of the rows
    sums = sp.csr_array(chosen @ words)
    total = np.asarray(sums.multiply(sums).sum(axis=1), np.float64).ravel()
    own = chosen @ np.asarray(words.multiply(words).sum(axis=1), np.float64).ravel()
    pairs = count * (count - 1)
    return np.where(pairs > 0, 1 - (total - own) / np.maximum(pairs, 1), np.nan)


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value
