"""Features from stage one: each channel's score and rank of the candidate, and the terms of the score.

The same sum may come from one similar title or many distant ones; the largest term and the number of terms distinguish
them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gars.domain.features.query import Floats, Query
from gars.kernels.ranks import write_by_rank, write_sort_keys

WHOLE_LIST = ("ials", "user_knn", "popularity")
"""The last channels, in order: those that score a list as a whole, not as a sum over its titles."""
NO_SUMS = frozenset({*WHOLE_LIST, "spectral"})
"""Every channel without terms of single titles, of small and of large catalogues."""


def names(channel_names: tuple[str, ...]) -> tuple[str, ...]:
    """A score and a place for each of c channels; strongest term and supporters for the e that are sums over titles."""
    sums = tuple(name for name in channel_names if name not in NO_SUMS)
    kinds = ("score", channel_names), ("place", channel_names), ("strongest", sums), ("supporters", sums)
    return tuple(f"{name}_{kind}" for kind, some in kinds for name in some)


@lru_cache(64)
def _places(m: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the places 0 to m - 1 and the values that stand for them."""
    return np.arange(m), np.log1p(np.arange(m), dtype=np.float32)


def write(query: Query, out: Floats) -> None:
    """Scores as they are; places as log(1 + rank) among the candidates. ``out`` (2c + 2e, m)"""
    scores = query.channel_scores.T
    c, e = len(scores), query.strongest.shape[1]
    out[:c] = scores
    places, log_places = _places(scores.shape[1])
    keys = np.empty(scores.shape, np.int64)
    write_sort_keys(out[:c], places, keys)
    keys.sort(axis=1)
    write_by_rank(keys, log_places, out[c : 2 * c])
    out[2 * c : 2 * c + e] = query.strongest.T
    out[2 * c + e :] = query.supporters.T
