"""Weights of the channels in the fused order of a small catalogue, learned on entries that are hidden from users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain.splits import hold_out
from gars.library.query import Models
from gars.retrieval import fusion_weights
from gars.retrieval.fusion_weights import CUT, HeldOutUser
from gars.retrieval.large_fit import HIDDEN_SHARE, MIN_ENTRIES
from gars.retrieval.matrix import TrainingMatrix
from gars.retrieval.retriever import Retriever
from gars.runtime.progress import Progress

PER_CHANNEL = 100
"""Candidates of each channel among which hidden entries are looked for."""


def learn_fusion(
    by_fold: Sequence[Models],
    folds: NDArray[np.int64],
    lists: TrainingMatrix,
    users: NDArray[np.int64],
    *,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, float], dict[str, float]]:
    """Learn the weights on some users, each scored by the models of their fold, which have not seen them.

    The search starts from the weights that the models have. What half of the users chose must be better on the other
    half, else the weights stay. Returns the weights by channel, and recall and NDCG of both on that half.
    """
    first = by_fold[0].retriever
    assert isinstance(first, Retriever)
    names = first.channel_names
    start = np.array([first.config.fusion.get(name, 0.0) for name in names], np.float32)
    cases = list(_held_out_users(by_fold, folds, lists, users, np.random.default_rng([seed, 8]), progress))
    learned_on, measured_on = cases[::2], cases[1::2]
    before = fusion_weights.metrics(measured_on, start)
    after = fusion_weights.metrics(measured_on, fusion_weights.search(learned_on, len(names), start=start))
    measured = {
        f"recall@{CUT} given fusion": before.recall,
        f"ndcg@{CUT} given fusion": before.ndcg,
        f"recall@{CUT} learned fusion": after.recall,
        f"ndcg@{CUT} learned fusion": after.ndcg,
    }
    if sum(after) <= sum(before):
        return first.config.fusion, measured
    found = fusion_weights.search(cases, len(names), start=start)
    return {name: round(float(weight), 4) for name, weight in zip(names, found, strict=True) if weight}, measured


def with_fusion(models: Models, weights: dict[str, float]) -> Models:
    """Return the models with other weights of the channels in the fused order."""
    retriever = models.retriever
    assert isinstance(retriever, Retriever)
    config = msgspec.structs.replace(retriever.config, fusion=weights)
    return replace(models, retriever=replace(retriever, config=config))


def _held_out_users(
    by_fold: Sequence[Models],
    folds: NDArray[np.int64],
    lists: TrainingMatrix,
    users: NDArray[np.int64],
    rng: np.random.Generator,
    progress: Progress,
) -> Iterator[HeldOutUser]:
    """Score the candidates of each user's shown entries, and mark those that were hidden."""
    with progress.task("fusion weights", max(1, len(users))) as advance:
        for user in users:
            own = slice(*lists.weights.indptr[user : user + 2])
            used = lists.weights.data[own] > 0
            rows, weights = lists.weights.indices[own][used].astype(np.int64), lists.weights.data[own][used]
            advance(1)
            if len(rows) < MIN_ENTRIES:
                continue
            hidden = hold_out(len(rows), HIDDEN_SHARE, rng)
            allowed = np.ones(lists.n_items, np.bool_)
            allowed[lists.weights.indices[own]] = False
            allowed[rows[hidden]] = True
            retriever = by_fold[folds[user]].retriever
            found = retriever.candidates(rows[~hidden], weights[~hidden], allowed, per_channel=PER_CHANNEL)
            yield HeldOutUser(found.channel_scores.T, np.isin(found.rows, rows[hidden]), int(hidden.sum()))
