"""The ranker's features, one idea a file; training, serving and every engine call the same functions.

Each file has ``NAMES`` and ``values(query) -> (m, len(NAMES)) float32``. What a user is lives in ``domain.user_state``;
features are read from it when a list is made, so there is no second copy to fall behind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gars.domain.features import (
    activity,
    channels,
    era,
    franchise,
    genres,
    kriging,
    medium,
    neighbours,
    popularity,
    quality,
)
from gars.domain.features.query import Query

_Values = Callable[[Query], NDArray[np.float32]]

_FEATURES: tuple[tuple[tuple[str, ...], _Values], ...] = tuple(
    (feature.NAMES, feature.values)
    for feature in (activity, popularity, quality, era, medium, genres, franchise, neighbours, kriging)
)


def names(channel_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns of ``matrix``, in order."""
    return (*channels.names(channel_names), *(name for feature, _ in _FEATURES for name in feature))


def matrix(query: Query) -> NDArray[np.float32]:
    """Every feature of every candidate. → (m, len(names)) float32, all finite."""
    return np.concatenate([channels.values(query), *(values(query) for _, values in _FEATURES)], axis=1)
