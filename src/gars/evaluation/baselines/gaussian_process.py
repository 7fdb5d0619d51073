"""The per-user Gaussian process alone: its mean, without the network that reads it (decision 9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError
from gars.domain.features import gaussian_process
from gars.domain.history import History
from gars.evaluation.baselines.model import ByRule, Floats, LikeModel, Training


def fit(training: Training) -> LikeModel:
    """Nothing is fitted: the kernel is the product's.

    Raises:
        InvalidInputError: the data have no ratings.
    """
    engine = training.engine
    if engine.models.gaussian_process is None:
        raise InvalidInputError("a Gaussian process over ratings needs ratings", hint="these data have none")
    expected = gaussian_process.NAMES.index("like_kriged")

    def rule(history: History, rows: NDArray[np.int64]) -> Floats:
        query = engine.models.query(history, engine.retriever.scored(*engine.query(history), rows))
        return np.asarray(np.clip(query.gaussian_process[:, expected], 0, 1), np.float32)

    return ByRule("Gaussian process", rule)
