"""What stage one said: each channel's standardised score and the candidate's place in that channel's order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query


def names(channel_names: tuple[str, ...]) -> tuple[str, ...]:
    """A score and a place for each channel."""
    return (*(f"{name}_score" for name in channel_names), *(f"{name}_place" for name in channel_names))


def values(query: Query) -> NDArray[np.float32]:
    """Scores as they are; places as log(1 + rank) among the candidates. → (m, 2c)"""
    scores = query.channel_scores
    order = np.argsort(-scores, axis=0, kind="stable")
    place = np.empty_like(scores)
    np.put_along_axis(place, order, np.log1p(np.arange(len(scores), dtype=np.float32))[:, None], axis=0)
    return np.concatenate([scores, place], axis=1)
