"""Features of the ranker, one idea a file; training, serving and every engine call the same functions.

Each file has ``NAMES`` and ``write(query, out)``, which fills ``out`` (len(NAMES), m) for m candidates. What depends on
the item alone is computed once for a catalogue (``item.records_of``). The user is in ``domain.user_state``; features
are read from it when a list is made, so no second copy can be stale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gars.domain.features import activity, channels, gaussian_process, item, neighbours
from gars.domain.features.query import Query

_FILES = activity, item, neighbours, gaussian_process
_NAMES = tuple(name for file in _FILES for name in file.NAMES)


_OF_TITLE = (
    "item_viewers", "item_members", "item_viewer_share", "item_like_rate", "item_rating_mean", "item_rated",
    "catalogue_score", "score_known", "year", "year_known", "episodes", "genre_count", "franchise_size",
)  # fmt: skip
"""Features that do not depend on the user."""
_ALONE = np.isin(_NAMES, _OF_TITLE)


def names(channel_names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns of ``matrix``, in order."""
    return (*channels.names(channel_names), *_NAMES)


def title_columns(width: int) -> NDArray[np.bool_]:
    """Mask the columns of ``matrix`` that do not depend on the user. → (width,)

    All False for a matrix too narrow to be of this version.
    """
    found = np.zeros(width, np.bool_)
    if width >= len(_ALONE):
        found[-len(_ALONE) :] = _ALONE
    return found


def place_from_end(name: str) -> int:
    """Return the place of a column that does not depend on the channels, counted from the end (-1 is the last)."""
    return _NAMES.index(name) - len(_NAMES)


def matrix(query: Query) -> NDArray[np.float32]:
    """Every feature of every candidate. → (m, len(names)) float32, all finite; each column lies in one piece"""
    width = 2 * (query.channel_scores.shape[1] + query.strongest.shape[1])
    out = np.empty((width + len(_NAMES), len(query.candidates)), np.float32)
    channels.write(query, out[:width])
    left = out[width:]
    for file in _FILES:
        file.write(query, left[: len(file.NAMES)])
        left = left[len(file.NAMES) :]
    return out.T
