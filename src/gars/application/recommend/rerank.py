"""Rerank a scored list: niche titles raised, one title of each franchise, diversity at the top."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gars.domain.item_table import ItemTable
from gars.domain.normalise import unit_rows
from gars.kernels.quantised import Quantised, quantise
from gars.kernels.ranks import write_sort_keys
from gars.kernels.rerank import best_places, keep_first, marginal_relevance

HALF_LIFE = 12
"""Ranks after which the penalty of similarity is halved: lower in the list, users want more of the same."""
POOL = 200
"""Diversification moves titles up from at most this rank."""
FULL = 4.0
"""Penalty of similarity 1 at the second rank with ``diversity`` 1, in standard deviations of the score."""
_DEPTH = 5 * HALF_LIFE
"""Below this rank the penalty is about 3 % of that at the top, and the order is kept."""


def lean_niche(scores: NDArray[np.float32], counts: NDArray[np.float32], niche: float) -> NDArray[np.float32]:
    """Raise titles that the model scores far above their popularity. ``niche`` 0: no effect, 1: weight of the score.

    The lift of a title is ``log1p(p_model / p_popularity)`` among these candidates: its share by a softmax of the
    scores over its share of the viewers, with the median's viewers added to each title, so that few viewers alone are
    no advantage. Ranking scores may be negative, so the lift is added in deviations of the score, not multiplied.
    Scores (m,), viewers ``counts`` (m,) → (m,).
    """
    spread = float(scores.std()) if len(scores) else 0.0
    if niche <= 0 or spread <= 0:
        return scores
    model = np.exp((scores - scores.max()) / spread)
    fame = counts + max(1.0, float(np.median(counts)))
    lift = np.log1p(model / model.sum() * fame.sum() / fame)
    return np.asarray(scores + niche * spread * (lift - lift.mean()) / max(float(lift.std()), 1e-9), np.float32)


def collapse(ordered: NDArray[np.int64], franchises: NDArray[np.int32], per_franchise: int = 1) -> NDArray[np.bool_]:
    """Mask the entries of a ranked list to keep, at most ``per_franchise`` of each franchise.

    ``ordered`` (k,) are rows of the item table, best first; ``franchises`` (n,) their codes → mask (k,).
    """
    kept = np.empty(len(ordered), np.bool_)
    keep_first(franchises[ordered], per_franchise, kept)
    return kept


def best(
    scores: NDArray[np.float32], rows: NDArray[np.int64], items: ItemTable, most: int, *, one_per_franchise: bool
) -> NDArray[np.int64]:
    """Return the positions of the ``most`` largest scores (m,), ordered by ``(-score, row)``. → (≤ most,)

    With ``one_per_franchise`` only the best of each franchise counts. ``rows`` (m,) are those of the item table.
    """
    keys, places = np.empty((1, len(scores)), np.int64), np.empty(min(most, len(scores)), np.int64)
    write_sort_keys(np.ascontiguousarray(scores)[None], np.arange(len(scores)), keys)
    keys.sort(axis=1)
    count = best_places(keys[0], rows, items.franchises, items.n_franchises, one_per_franchise, places)
    return places[:count]


def likeness_of(vectors: NDArray[np.float32], genres: NDArray[np.float32]) -> Quantised:
    """Quantise item vectors for similarity by inner product: unit embeddings (n, d) and genres (n, g), half each.

    The similarity of a title without an embedding depends on its genres alone.
    """
    both = np.hstack([vectors, unit_rows(genres)])
    return quantise(np.asarray(np.sqrt(0.5) * both, np.float32))


@lru_cache(64)
def _decay(start: int, n: int) -> NDArray[np.float64]:
    """Return the share of the penalty that is left at n ranks from ``start`` on."""
    return np.asarray(0.5 ** ((start + np.arange(n)) / HALF_LIFE), np.float64)


def diversify(
    scores: NDArray[np.float32],
    rows: NDArray[np.int64],
    likeness: Quantised,
    diversity: float,
    *,
    start: int = 0,
    want: int = POOL,
) -> NDArray[np.int64]:
    """Order a list by maximal marginal relevance with a penalty that decays with the rank. → indices (m,) or (want,)

    Rank ``p`` goes to the title with the largest ``score - penalty · similarity``, where similarity is the maximum over
    the titles ranked above it and the penalty is ``diversity * FULL`` deviations of the scores, halved every
    ``HALF_LIFE`` ranks. ``scores`` (m,) are in descending order, ``likeness`` is the result of ``likeness_of`` for the
    catalogue and ``rows`` (m,) index it; ``start`` is the number of ranks on earlier pages, ``want`` the number of
    ranks needed: below, the order is that of the scores. The first ranks do not depend on ``want``.

    Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
    """
    pool = min(len(scores), POOL)
    if diversity <= 0 or not pool:
        return np.arange(len(scores))
    decay = _decay(start, min(pool, want, max(0, _DEPTH - start)))
    first = np.empty(len(decay), np.int64)
    marginal_relevance(likeness, rows[:pool], scores[:pool], diversity * FULL, decay, first)
    if len(first) >= want:
        return first
    rest = np.ones(len(scores), np.bool_)
    rest[first] = False
    return np.concatenate([first, np.flatnonzero(rest)])
