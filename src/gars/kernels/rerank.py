"""Re-ranking of a scored list: a limit per group, and maximal marginal relevance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled
from gars.kernels.quantised import Quantised

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def _keep_first(groups: NDArray[np.int32], most: int, kept: NDArray[np.bool_]) -> None:
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(groups) else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, len(groups)])
    kept[by_group] = np.arange(len(groups)) - np.repeat(starts, lengths) < most


@compiled(plain=_keep_first)
def keep_first(groups: NDArray[np.int32], most: int, kept: NDArray[np.bool_]) -> None:
    """Mark in ``kept`` (k,) the ranks of a list that are among the first ``most`` of their group; codes (k,) ≥ 0."""
    seen = np.zeros(groups.max() + 1 if len(groups) else 0, np.int64)
    for rank in range(len(groups)):
        kept[rank] = seen[groups[rank]] < most
        seen[groups[rank]] += 1


def _marginal_relevance(vectors: Quantised, rows: Ints, scores: Floats, penalties: Floats, selected: Ints) -> None:
    codes, steps = vectors.codes[rows].astype(np.int32), vectors.steps[rows]
    remaining, similarity = scores.copy(), np.zeros(len(scores), np.float32)
    for rank, penalty in enumerate(penalties):
        best = int(np.argmax(remaining - penalty * similarity))
        selected[rank], remaining[best] = best, -np.inf
        similarity = np.maximum(similarity, (codes @ codes[best]).astype(np.float32) * (steps * steps[best]))


@compiled(plain=_marginal_relevance)
def marginal_relevance(vectors: Quantised, rows: Ints, scores: Floats, penalties: Floats, selected: Ints) -> None:
    """Select for rank ``p`` the candidate of largest ``score - penalties[p] · similarity``, ties to the first.

    Similarity is the largest product of the candidate's vector with one selected before, at least 0. Scores (m,)
    descend, ``rows`` (m,) are those of the candidates' vectors, penalties (p,) are not negative, p ≤ m. Written to
    ``selected`` (p,). Carbonell & Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
    """
    m, d = len(rows), vectors.codes.shape[1]
    remaining, similarity = scores.copy(), np.zeros(m, np.float32)
    n_compared = np.zeros(m, np.int64)  # with how many of the selected; a candidate out of reach is not compared
    for rank in range(len(penalties)):
        best, highest = 0, np.float32(-np.inf)
        for j in range(m):
            if scores[j] <= highest:
                break  # similarity only lowers a score, and all below have no larger one
            if remaining[j] == -np.inf:
                continue
            row = rows[j]
            for other in range(n_compared[j], rank):
                above = rows[selected[other]]
                total = np.int32(0)
                for i in range(d):
                    total = np.int32(
                        total + np.int32(np.int32(vectors.codes[row, i]) * np.int32(vectors.codes[above, i]))
                    )
                product = np.float32(total) * np.float32(vectors.steps[row] * vectors.steps[above])
                similarity[j] = max(similarity[j], product)
            n_compared[j] = rank
            value = remaining[j] - penalties[rank] * similarity[j]
            if value > highest:
                best, highest = j, value
        selected[rank] = best
        remaining[best] = -np.inf
