"""Many histories as arrays, so that reading a user costs a few vector operations and not a call for each entry."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gars.domain.errors import InvalidInputError
from gars.domain.history import History, from_columns, weights_of
from gars.kernels.pools import Lists
from gars.library.frames import TOP_RATING, Rows
from gars.library.history_input import find_labels, read_pairs

Ints = NDArray[np.int64]


class UnknownIdsWarning(UserWarning):
    """Some ids of a history are not in the model and were left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Histories of b users, concatenated; each names an item once."""

    starts: Ints
    """(b + 1,)"""
    rows: Ints
    """(t,) rows of the item table."""
    ratings: NDArray[np.float32]
    """(t,) 1–10, NaN = not rated."""
    unrated: float
    """Weight of an item without a rating."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    def one(self, place: int, ids: Ints) -> History:
        """Return one history; ``ids`` (n,) are those of the item table."""
        own = slice(self.starts[place], self.starts[place + 1])
        return from_columns(ids[self.rows[own]], self.ratings[own], unrated=self.unrated)

    def lists(self) -> Lists:
        """Return what stage one reads: items of a positive weight, and all items as hidden."""
        weights = weights_of(self.ratings, unrated=self.unrated)
        is_used = weights > 0
        before = np.concatenate([[0], np.cumsum(is_used)])
        return Lists(before[self.starts], self.rows[is_used], weights[is_used], self.starts, self.rows)


def of_users(rows: Rows, starts: Ints, users: Ints) -> Histories:
    """Return the training rows of users (b,), given by position; ``starts`` (u + 1,) are those of ``rows``."""
    lengths = starts[users + 1] - starts[users]
    ends = np.cumsum(lengths)
    entries = np.arange(int(lengths.sum())) + np.repeat(starts[users] - (ends - lengths), lengths)
    return Histories(
        np.concatenate([[0], ends]), rows.item[entries], rows.rating[entries], 0.5 if rows.has_ratings else 1.0
    )


def of_pairs(histories: Sequence[Any], rows: Rows, *, stacklevel: int = 2) -> Histories:
    """Read histories as callers give them; of an item named twice the last counts. Unknown ids are left out.

    Each history with unknown ids is reported by an ``UnknownIdsWarning``.

    Raises:
        InvalidInputError: an entry is not a pair, a rating is no number or outside the scale, or an id is no id.
    """
    scale = rows.rating_scale
    read = [read_pairs(history) for history in histories]
    labels = [item for pairs in read for item, _ in pairs]
    given = [rating for pairs in read for _, rating in pairs]
    ratings = np.array(given, np.float64) * scale  # None becomes NaN
    if ((ratings <= 0) | (ratings > TOP_RATING)).any():
        wrong = int(np.argmax((ratings <= 0) | (ratings > TOP_RATING)))
        raise InvalidInputError(
            f"rating {given[wrong]:g} of {labels[wrong]!r} is not above 0 and at most {TOP_RATING / scale:g}",
            hint="None = not rated",
        )
    found = find_labels(labels, rows.item_ids)
    lengths = np.array([len(pairs) for pairs in read], np.int64)
    of_history = np.repeat(np.arange(len(read)), lengths)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for place in np.unique(of_history[found < 0]):
        own = range(starts[place], starts[place + 1])
        unknown = [labels[entry] for entry in own if found[entry] < 0]
        shown = ", ".join(map(repr, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        message = f"{len(unknown)} of {len(own)} ids in the history are unknown and were left out: {shown}"
        warnings.warn(message, UnknownIdsWarning, stacklevel=stacklevel + 1)
    kept = _last_of_each(of_history * len(rows.item_ids) + found, found >= 0)
    before = np.searchsorted(kept, starts)
    return Histories(before, found[kept], ratings[kept].astype(np.float32), 0.5 if rows.has_ratings else 1.0)


def _last_of_each(keys: Ints, is_known: NDArray[np.bool_]) -> Ints:
    """Return the positions of the last known entry of each key, ascending."""
    places = np.flatnonzero(is_known)[::-1]
    _, first = np.unique(keys[places], return_index=True)
    return np.sort(places[first])
