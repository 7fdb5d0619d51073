"""iALS: implicit matrix factorisation (Hu, Koren & Volinsky, ICDM 2008), by the ``implicit`` library.

A held-out user is folded in by one exact least-squares solve against the item factors.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from gars.domain.errors import MissingExtraError
from gars.evaluation.baselines.model import ByScore, Floats, ListModel, Shown, Training
from gars.library.blas import one_thread

FACTORS, ALPHA, L2, ITERATIONS = 512, 7.0, 35.0, 12


def fit(training: Training) -> ListModel:
    """Fit on the graded lists; the factorisation brings its own threads, so BLAS gets one.

    Raises:
        MissingExtraError: ``implicit`` is not installed.
    """
    try:
        with one_thread():
            from implicit.als import AlternatingLeastSquares
    except ImportError as error:
        raise MissingExtraError("the iALS baseline", "train") from error
    lists = sp.csr_matrix(training.matrix.graded())
    lists.indices, lists.indptr = lists.indices.astype(np.int32), lists.indptr.astype(np.int32)
    n_items = int(lists.shape[1])
    with one_thread():
        model = AlternatingLeastSquares(
            factors=min(FACTORS, n_items),
            regularization=L2,
            alpha=ALPHA,
            iterations=ITERATIONS,
            random_state=training.seed % 2**32,
        )
        model.fit(lists, show_progress=False)

    def scores(shown: Shown) -> Floats:
        order = np.argsort(shown.rows)
        row = sp.csr_matrix(
            (shown.weights[order], shown.rows[order].astype(np.int32), np.array([0, len(order)], np.int32)),
            shape=(1, n_items),
        )
        return np.asarray(model.item_factors @ model.recalculate_user(0, row), np.float32)

    return ByScore("ials_512", training.items.anime_ids, scores)
