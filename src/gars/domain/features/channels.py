"""Features from stage one: each channel's score and rank of the candidate, and the terms of the score.

The same sum may come from one similar title or many distant ones; the largest term and the number of terms distinguish
them.
"""

from __future__ import annotations

import numpy as np

from gars.domain.features.query import Floats, Query
from gars.domain.top_k import argsort_descending

WHOLE_LIST = ("ials", "user_knn", "popularity")
"""The last channels, in order: those that score a list as a whole, not as a sum over its titles."""
NO_SUMS = frozenset({*WHOLE_LIST, "spectral"})
"""Every channel without terms of single titles, of small and of large catalogues."""


def names(channel_names: tuple[str, ...]) -> tuple[str, ...]:
    """A score and a place for each of c channels; strongest term and supporters for the e that are sums over titles."""
    sums = tuple(name for name in channel_names if name not in NO_SUMS)
    kinds = ("score", channel_names), ("place", channel_names), ("strongest", sums), ("supporters", sums)
    return tuple(f"{name}_{kind}" for kind, some in kinds for name in some)


def write(query: Query, out: Floats) -> None:
    """Scores as they are; places as log(1 + rank) among the candidates. ``out`` (2c + 2e, m)"""
    scores = query.channel_scores.T
    c, e = len(scores), query.strongest.shape[1]
    out[:c] = scores
    places = np.log1p(np.arange(scores.shape[1]), dtype=np.float32)
    out[c : 2 * c][np.arange(c)[:, None], argsort_descending(scores)] = places
    out[2 * c : 2 * c + e] = query.strongest.T
    out[2 * c + e :] = query.supporters.T
