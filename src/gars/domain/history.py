"""A user's history as columns: what the models read, made from ratings or from a ``UserState``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gars.domain.interaction import Status
from gars.domain.user_state import UserState

LIKED_ABOVE = 7
"""A rating above this is "liked": the mission's own threshold."""

_PLANNED, _COMPLETED, _DROPPED = Status.PLANNED.value, Status.COMPLETED.value, Status.DROPPED.value

STATED_LIKE, STATED_DISLIKE = 9.0, 3.0
"""The rating that a thumb up or down without a number stands for."""


_OPINIONS = 4096
"""Size of the cache of opinions: most are a rating and a status."""


class Rating(NamedTuple):
    """One title of a history: ``rating`` from 1 to 10, or ``None`` for seen without a rating."""

    anime_id: int
    rating: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A user's titles, oldest first. All columns have length h, but ``clicks``."""

    anime_ids: NDArray[np.int64]
    ratings: NDArray[np.float32]
    """1–10, NaN = not rated."""
    weights: NDArray[np.float32]
    """Weight of each title in the scores of similar ones, 0–1 (see ``interaction_weight``)."""
    hidden: NDArray[np.bool_]
    """True = must not be recommended (seen, dropped, dismissed, …)."""
    clicks: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Recently clicked titles, newest first, each once."""
    unfinished: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Ids among ``anime_ids`` that were not watched to the end: under way, on hold, planned, dropped, dismissed."""
    dropped: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """Ids among ``anime_ids`` that were given up."""

    def __len__(self) -> int:
        return len(self.anime_ids)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to personalise with."""
        return not len(self.anime_ids) and not len(self.clicks)


def interaction_weight(rating: float | None, status: str | None = None, *, unrated: float = 0.5) -> float:
    """Return the weight of a title of the history in the scores of similar titles.

    Liked 1, unrated ``unrated``, mixed (6–7) 0.4, disliked or dropped 0, planned 0.4. The grades were measured on the
    validation users of the fixed top-N split.
    """
    if rating is not None and not math.isnan(rating):
        return 1.0 if rating > LIKED_ABOVE else 0.4 if rating >= 6 else 0.0
    if status == Status.DROPPED:
        return 0.0
    return 0.4 if status == Status.PLANNED else unrated


def from_ratings(ratings: Iterable[Rating | tuple[int, float | None]], *, unrated: float = 0.5) -> History:
    """The history of a list of ratings; of a title named twice, the last counts."""
    latest: dict[int, float | None] = {}
    for anime_id, rating in ratings:
        latest.pop(anime_id, None)
        latest[anime_id] = rating
    values = np.array([math.nan if r is None else r for r in latest.values()], np.float32)
    return from_columns(np.fromiter(latest, np.int64, len(latest)), values, unrated=unrated)


def from_columns(anime_ids: NDArray[np.int64], ratings: NDArray[np.float32], *, unrated: float = 0.5) -> History:
    """The history of unique anime ids (h,) with their ratings (h,), NaN = not rated. The fast path of training."""
    weights = weights_of(ratings, unrated=unrated)
    return History(anime_ids, ratings, weights, np.ones(len(anime_ids), np.bool_))


def weights_of(ratings: NDArray[np.float32], *, unrated: float = 0.5) -> NDArray[np.float32]:
    """Return ``interaction_weight`` of ratings (h,) without a status, NaN = not rated. → (h,)"""
    liked, mixed, none = ratings > LIKED_ABOVE, ratings >= 6, np.isnan(ratings)
    return np.select([none, liked, mixed], [unrated, 1.0, 0.4], 0.0).astype(np.float32)


def from_state(state: UserState, *, unrated: float = 0.5) -> History:
    """The history the online path feeds to the models: opinions oldest first, then the latest clicks."""
    found = []
    # register by register: this is done for every title of a list at every request
    for anime_id, opinion in state.opinions.items():
        number = status = reaction = seen = dismissed = None
        times = []
        if (one := opinion.rating) is not None:
            number = one.value
            times.append(one.stamp.time_ms)
        if (one := opinion.status) is not None:
            status = one.value
            times.append(one.stamp.time_ms)
        if (one := opinion.reaction) is not None:
            reaction = one.value
            times.append(one.stamp.time_ms)
        if (one := opinion.seen) is not None:
            seen = one.value
            times.append(one.stamp.time_ms)
        if (one := opinion.dismissed) is not None:
            dismissed = one.value
            times.append(one.stamp.time_ms)
        if (one := opinion.unclicked) is not None:
            times.append(one.stamp.time_ms)
        meaning = _meaning(number, status, reaction, seen is not None, dismissed is not None, unrated)
        if meaning is not None:
            found.append((max(times), anime_id, meaning))
    found.sort()  # by time, then id
    ids = np.array([anime_id for _, anime_id, _ in found], np.int64)
    columns = zip(*[meaning for _, _, meaning in found], strict=True) if found else ((),) * len(_Meaning._fields)
    ratings, weights, hidden, finished, dropped = columns
    return History(
        anime_ids=ids,
        ratings=np.array(ratings, np.float32),
        weights=np.array(weights, np.float32),
        hidden=np.array(hidden, np.bool_),
        clicks=np.array(list(dict.fromkeys([click.anime_id for click in state.clicks])), np.int64),
        unfinished=ids[~np.array(finished, np.bool_)],
        dropped=ids[np.array(dropped, np.bool_)],
    )


class _Meaning(NamedTuple):
    """The input of the models from one opinion."""

    rating: float
    weight: float
    is_hidden: bool
    is_finished: bool
    is_dropped: bool


@lru_cache(_OPINIONS)
def _meaning(
    number: int | None, status: str | None, reaction: int | None, is_seen: bool, is_dismissed: bool, unrated: float
) -> _Meaning | None:
    """Convert an opinion; ``None`` if every part of it was withdrawn."""
    is_rated = number is not None or reaction is not None
    if not is_rated and status is None and not is_seen and not is_dismissed:
        return None
    rating = (
        float(number) if number is not None else math.nan if reaction is None
        else STATED_LIKE if reaction > 0 else STATED_DISLIKE
    )  # fmt: skip
    # "not interested" and "seen" hide a title; neither is evidence that the user likes similar ones
    is_no_evidence = not is_rated and (is_dismissed or status is None)
    return _Meaning(
        rating,
        0.0 if is_no_evidence else interaction_weight(rating, status, unrated=unrated),
        is_rated or is_dismissed or status != _PLANNED,
        status == _COMPLETED or (status is None and (is_rated or is_seen)),
        status == _DROPPED,
    )
