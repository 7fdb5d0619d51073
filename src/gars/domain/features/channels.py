"""What stage one said: each channel's score, the candidate's place in its order, and what the score is made of.

The same sum may be one close title or many distant ones; the strongest term and the number of terms tell them apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Query

WHOLE_LIST = ("ials", "user_knn", "popularity")
"""The last channels, in order: those that score a list as a whole, not as a sum over its titles."""


def names(channel_names: tuple[str, ...]) -> tuple[str, ...]:
    """A score and a place for each of c channels; strongest term and supporters for the e that are sums over titles."""
    sums = tuple(name for name in channel_names if name not in WHOLE_LIST)
    kinds = ("score", channel_names), ("place", channel_names), ("strongest", sums), ("supporters", sums)
    return tuple(f"{name}_{kind}" for kind, some in kinds for name in some)


def values(query: Query) -> NDArray[np.float32]:
    """Scores as they are; places as log(1 + rank) among the candidates. → (m, 2c + 2e)"""
    scores = query.channel_scores
    order = np.argsort(-scores, axis=0, kind="stable")
    place = np.empty_like(scores)
    np.put_along_axis(place, order, np.log1p(np.arange(len(scores), dtype=np.float32))[:, None], axis=0)
    return np.concatenate([scores, place, query.strongest, query.supporters], axis=1)
