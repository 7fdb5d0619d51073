"""Item2Vec on users' lists as they are, scored by input times output vectors.

Barkan & Koenigstein, "Item2Vec: Neural Item Embedding for Collaborative Filtering", MLSP 2016. A list has no order, so
the window spans many shuffled titles. What DeepWalk adds is the walk: this is the same learner without it. Here a prior
of popularity in the softmax makes lists worse (validation NDCG@100 .295 with viewers^.75, .371 without).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from gars.domain.errors import MissingExtraError
from gars.evaluation.baselines.model import ByScore, Floats, ListModel, Shown, Training

DIM, WINDOW, NEGATIVE, EPOCHS, MIN_COUNT, NS_EXPONENT = 128, 20, 5, 15, 5, 0.75


class _Lists:
    """Each user's titles as words, in a new order every time they are read."""

    def __init__(self, training: Training) -> None:
        self._lists = training.matrix.graded()
        self._rng = np.random.default_rng(training.seed)

    def __iter__(self) -> Iterator[list[str]]:
        indptr, indices = self._lists.indptr, self._lists.indices
        for start, end in pairwise(indptr):
            yield list(map(str, self._rng.permutation(indices[start:end]).tolist()))


def fit(training: Training) -> ListModel:
    """Train skip-gram on one thread, so that the result does not depend on timing.

    Raises:
        MissingExtraError: gensim is not installed.
    """
    try:
        from gensim.models import Word2Vec
    except ImportError as error:
        raise MissingExtraError("the Item2Vec baseline", "train") from error
    counts = np.bincount(training.matrix.graded().indices, minlength=training.matrix.n_items)
    model = Word2Vec(
        _Lists(training),
        vector_size=DIM,
        window=WINDOW,
        negative=NEGATIVE,
        ns_exponent=NS_EXPONENT,
        epochs=EPOCHS,
        sg=1,
        min_count=MIN_COUNT if (counts >= MIN_COUNT).any() else 1,
        sample=0,
        workers=1,
        seed=training.seed % 2**32,
    )
    head = np.array(model.wv.index_to_key, np.int64)
    logits = model.wv.vectors @ model.syn1neg.T  # (m, m)
    np.fill_diagonal(logits, -np.inf)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    place = np.full(len(counts), -1, np.int64)
    place[head] = np.arange(len(head))

    def scores(shown: Shown) -> Floats:
        known = place[shown.rows] >= 0
        values = np.full(len(place), -np.inf, np.float32)
        values[head] = shown.weights[known] @ p[place[shown.rows[known]]]
        return values

    return ByScore("item2vec on lists", training.items.anime_ids, scores)
