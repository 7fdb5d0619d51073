"""From scores to a page: a lean to the less known, one of each franchise, no two alike next to each other on top."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.normalise import standard_deviation, unit_rows
from gars.kernels.quantised import Quantised, quantise
from gars.kernels.rerank import keep_first, marginal_relevance

HALF_LIFE = 12
"""Places after which likeness costs half as much: who scrolls further asks for more of the same."""
POOL = 200
"""Likeness may move a title up from this far down the list and no further."""
FULL = 4.0
"""Deviations of the score that likeness 1 costs the second place at ``diversity`` 1."""
_DEPTH = 5 * HALF_LIFE
"""Below this place likeness costs about 3 % of what it costs at the top, and the order stands."""


def lean_niche(scores: NDArray[np.float32], counts: NDArray[np.float32], niche: float) -> NDArray[np.float32]:
    """Raise what the model rates far above its fame. ``niche`` 0 changes nothing, 1 lets it say as much as the score.

    The lift of a title is ``log1p(p_model / p_popularity)`` among these candidates: its share by a softmax of the
    scores over its share of the viewers, each title with the median's viewers more, so that hardly watched is no merit
    by itself. Ranking scores may be negative, so the lift is added in deviations of the score, not multiplied. Scores
    (m,), viewers ``counts`` (m,) → (m,).
    """
    spread = float(scores.std()) if len(scores) else 0.0
    if niche <= 0 or spread <= 0:
        return scores
    model = np.exp((scores - scores.max()) / spread)
    fame = counts + max(1.0, float(np.median(counts)))
    lift = np.log1p(model / model.sum() * fame.sum() / fame)
    return np.asarray(scores + niche * spread * (lift - lift.mean()) / max(float(lift.std()), 1e-9), np.float32)


def collapse(ordered: NDArray[np.int64], franchises: NDArray[np.int32], per_franchise: int = 1) -> NDArray[np.bool_]:
    """Which places of a ranked list to keep so that no franchise appears more than ``per_franchise`` times.

    ``ordered`` (k,) are rows of the item table, best first; ``franchises`` (n,) their codes → mask (k,).
    """
    kept = np.empty(len(ordered), np.bool_)
    keep_first(franchises[ordered], per_franchise, kept)
    return kept


def likeness_of(vectors: NDArray[np.float32], genres: NDArray[np.float32]) -> Quantised:
    """What likeness is the product of: embeddings (n, d) and genres (n, g), each of unit length, count half each.

    A title nobody embedded is judged by its genres alone.
    """
    both = np.hstack([vectors, unit_rows(genres)])
    return quantise(np.asarray(np.sqrt(0.5) * both, np.float32))


def diversify(
    scores: NDArray[np.float32],
    rows: NDArray[np.int64],
    likeness: Quantised,
    diversity: float,
    *,
    start: int = 0,
    want: int = POOL,
) -> NDArray[np.int64]:
    """The order of a list after maximal marginal relevance whose penalty fades down the page.

    → places (m,), or only the first ``want`` of them.

    Place ``p`` goes to the title with the largest ``score - penalty · likeness``, where likeness is that to the most
    alike title above it and the penalty is ``diversity * FULL`` deviations of the scores, halved every ``HALF_LIFE``
    places.
    ``scores`` (m,) come best first, ``likeness`` is what ``likeness_of`` says of the catalogue and ``rows`` (m,) are
    where in it; ``start`` is how many places pages before this one had, ``want`` how many will be read: below, the
    order is that of the scores. The first places do not depend on how many are asked for.

    Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking", SIGIR 1998.
    """
    pool = min(len(scores), POOL)
    spread = standard_deviation(scores[:pool]) if pool else 0.0
    if diversity <= 0 or spread <= 0:
        return np.arange(len(scores))
    places = np.arange(min(pool, want, max(0, _DEPTH - start)))
    penalties = diversity * FULL * spread * 0.5 ** ((start + places) / HALF_LIFE)
    first = np.empty(len(places), np.int64)
    marginal_relevance(likeness, rows[:pool], scores[:pool], penalties.astype(np.float32), first)
    if len(first) >= want:
        return first
    rest = np.ones(len(scores), np.bool_)
    rest[first] = False
    return np.concatenate([first, np.flatnonzero(rest)])
