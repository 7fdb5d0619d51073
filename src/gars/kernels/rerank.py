"""Re-ranking of a scored list: a limit per group, and maximal marginal relevance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.kernels.compiled import compiled
from gars.kernels.quantised import Quantised
from gars.kernels.ranks import PLACE_BITS

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


def _best_places(
    keys: Ints, rows: Ints, groups: NDArray[np.int32], n_groups: int, is_one_each: bool, places: Ints
) -> int:
    del n_groups
    found = keys & (1 << PLACE_BITS) - 1
    found = found[np.lexsort((rows[found], keys >> PLACE_BITS))]
    if is_one_each:
        _, first = np.unique(groups[rows[found]], return_index=True)
        found = found[np.sort(first)]
    found = found[: len(places)]
    places[: len(found)] = found
    return len(found)


@compiled(plain=_best_places)
def best_places(
    keys: Ints, rows: Ints, groups: NDArray[np.int32], n_groups: int, is_one_each: bool, places: Ints
) -> int:
    """Write the best of m candidates to ``places`` (p,), best first, and return their number, p at most.

    ``keys`` (m,) are the sorted ones of ``ranks.write_sort_keys``, whose places are those of the candidates. Of equal
    scores the lower of ``rows`` (m,) comes first. With ``is_one_each`` only the first of each group is taken;
    ``groups`` (n,) are the codes below ``n_groups`` of all items.
    """
    mask = (np.int64(1) << PLACE_BITS) - 1
    keys = keys.copy()
    seen = np.zeros(n_groups if is_one_each else 0, np.bool_)
    count, start = 0, 0
    while start < len(keys) and count < len(places):
        end = start + 1
        while end < len(keys) and keys[end] >> PLACE_BITS == keys[start] >> PLACE_BITS:
            end += 1
        for rank in range(start, end):  # keys below the current one are sorted by row
            key, to = keys[rank], rank
            while to > start and rows[keys[to - 1] & mask] > rows[key & mask]:
                keys[to] = keys[to - 1]
                to -= 1
            keys[to] = key
        for rank in range(start, end):
            place = keys[rank] & mask
            if is_one_each:
                group = groups[rows[place]]
                if seen[group]:
                    continue
                seen[group] = True
            if count < len(places):
                places[count] = place
                count += 1
        start = end
    return count


def _marginal_relevance(
    vectors: Quantised, rows: Ints, scores: Floats, strength: float, decay: NDArray[np.float64], selected: Ints
) -> None:
    codes, steps = vectors.codes[rows].astype(np.int32), vectors.steps[rows]
    remaining, similarity = scores.copy(), np.zeros(len(scores), np.float32)
    centred = scores - np.cumsum(scores, dtype=np.float64)[-1] / len(scores)
    spread = np.sqrt(np.cumsum(centred * centred)[-1] / len(scores))
    for rank, penalty in enumerate((strength * spread * decay).astype(np.float32)):
        best = int(np.argmax(remaining - penalty * similarity))
        selected[rank], remaining[best] = best, -np.inf
        similarity = np.maximum(similarity, (codes @ codes[best]).astype(np.float32) * (steps * steps[best]))


@compiled(plain=_marginal_relevance)
def marginal_relevance(
    vectors: Quantised, rows: Ints, scores: Floats, strength: float, decay: NDArray[np.float64], selected: Ints
) -> None:
    """Select for rank ``p`` the candidate of largest ``score - penalty[p] · similarity``, ties to the first.

    Similarity is the largest product of the candidate's vector with one selected before, at least 0. The penalty is
    ``strength`` standard deviations of the scores, times ``decay`` (p,), which is not negative. Scores (m,) descend,
    ``rows`` (m,) are those of the candidates' vectors, p ≤ m, m > 0. Written to ``selected`` (p,). Carbonell &
    Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
    """
    m, d = len(rows), vectors.codes.shape[1]
    mean, spread = 0.0, 0.0
    for j in range(m):
        mean += scores[j]
    for j in range(m):
        centred = scores[j] - mean / m
        spread += centred * centred
    spread = np.sqrt(spread / m)
    remaining, similarity = scores.copy(), np.zeros(m, np.float32)
    n_compared = np.zeros(m, np.int64)  # with how many of the selected; a candidate out of reach is not compared
    for rank in range(len(decay)):
        penalty = np.float32(strength * spread * decay[rank])
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
            value = remaining[j] - penalty * similarity[j]
            if value > highest:
                best, highest = j, value
        selected[rank] = best
        remaining[best] = -np.inf
