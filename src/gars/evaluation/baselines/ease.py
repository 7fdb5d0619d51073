"""EASE: a linear autoencoder in closed form (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019).

Written apart from ``retrieval.edlae``, so that a fault there does not hide in its own baseline.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from gars.evaluation.baselines.model import ByScore, Floats, ListModel, Shown, Training

L2 = 200.0
MAX_ITEMS = 10_000


def fit(training: Training) -> ListModel:
    """One inverse of the Gram matrix of the at most ``MAX_ITEMS`` most popular items."""
    lists = training.matrix.graded()
    counts = np.bincount(lists.indices, minlength=training.matrix.n_items)
    head = np.sort(np.argsort(-counts, kind="stable")[: min(MAX_ITEMS, int((counts > 0).sum()))])
    place = np.full(training.matrix.n_items, -1, np.int64)
    place[head] = np.arange(len(head))
    narrow = lists[:, head]
    gram = (narrow.T @ narrow).toarray().astype(np.float64)
    gram[np.diag_indices(len(head))] += L2
    inverse = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), np.eye(len(head)), overwrite_b=True)
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)

    def scores(shown: Shown) -> Floats:
        known = place[shown.rows] >= 0
        values = np.full(len(place), -np.inf, np.float32)
        values[head] = shown.weights[known] @ weights[place[shown.rows[known]]]
        return values

    return ByScore("ease", training.items.anime_ids, scores)
