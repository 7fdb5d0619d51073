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
    place = np.log1p(ranks(scores.T), dtype=np.float32).T
    return np.concatenate([scores, place, query.strongest, query.supporters], axis=1)


def ranks(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Place of each of m scores in each of c rows, best first; ties go to the first. (c, m) → (c, m)

    One sort of integers: the score's bits, turned so that a larger score is a smaller number, above the position.
    """
    bits = (np.ascontiguousarray(scores) + np.float32(0)).view(np.int32)  # + 0 makes one zero of -0 and 0
    falling = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    np.negative(falling, out=falling)
    m = scores.shape[1]
    falling *= 1 << 31
    falling += np.arange(m)
    falling.sort(axis=1)
    position = falling & ((1 << 31) - 1)
    place = np.empty((len(scores), m), np.int64)
    np.put_along_axis(place, position, np.arange(m)[None], axis=1)
    return place
