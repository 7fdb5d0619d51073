"""A user's history as columns: what the models read, made from ratings or from a ``UserState``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from gars.domain.interaction import Status
from gars.domain.user_state import Opinion, UserState

LIKED_ABOVE = 7
"""A rating above this is "liked": the mission's own threshold."""

_PLANNED, _COMPLETED, _DROPPED = Status.PLANNED.value, Status.COMPLETED.value, Status.DROPPED.value

STATED_LIKE, STATED_DISLIKE = 9.0, 3.0
"""The rating that a thumb up or down without a number stands for."""


class Rating(NamedTuple):
    """One title of a history: ``rating`` from 1 to 10, or ``None`` for seen without a rating."""

    anime_id: int
    rating: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What is known of a user, oldest first. All columns have length h, but ``clicks``."""

    anime_ids: NDArray[np.int64]
    ratings: NDArray[np.float32]
    """1–10, NaN = not rated."""
    strengths: NDArray[np.float32]
    """How much each title speaks for what is like it, 0–1 (see ``strength``)."""
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


def strength(rating: float | None, status: str | None = None, *, unrated: float = 0.5) -> float:
    """How strongly a title in the history speaks for titles like it.

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
    liked, mixed, none = ratings > LIKED_ABOVE, ratings >= 6, np.isnan(ratings)
    strengths = np.select([none, liked, mixed], [unrated, 1.0, 0.4], 0.0).astype(np.float32)
    return History(anime_ids, ratings, strengths, np.ones(len(anime_ids), np.bool_))


def from_state(state: UserState, *, unrated: float = 0.5) -> History:
    """The history the online path feeds to the models: opinions oldest first, then the latest clicks."""
    titles = [_title(anime_id, opinion, unrated) for anime_id, opinion in state.opinions.items()]
    told = sorted([title for title in titles if title is not None])
    _, anime_ids, ratings, strengths, hidden, finished, dropped = zip(*told, strict=True) if told else ((),) * 7
    ids = np.array(anime_ids, np.int64)
    return History(
        anime_ids=ids,
        ratings=np.array(ratings, np.float32),
        strengths=np.array(strengths, np.float32),
        hidden=np.array(hidden, np.bool_),
        clicks=np.array(list(dict.fromkeys([click.anime_id for click in state.clicks])), np.int64),
        unfinished=ids[~np.array(finished, np.bool_)],
        dropped=ids[np.array(dropped, np.bool_)],
    )


class _Title(NamedTuple):
    """One row of a history; in order of time, then id."""

    latest_ms: int
    anime_id: int
    rating: float
    strength: float
    is_hidden: bool
    is_finished: bool
    is_dropped: bool


def _title(anime_id: int, opinion: Opinion, unrated: float) -> _Title | None:
    """What an opinion says; ``None`` if everything said was taken back."""
    registers = msgspec.structs.astuple(opinion)
    number, status, reaction, seen, dismissed, _ = [None if one is None else one.value for one in registers]
    is_rated = number is not None or reaction is not None
    if not is_rated and status is None and seen is None and dismissed is None:
        return None
    rating = (
        float(number) if number is not None else math.nan if reaction is None
        else STATED_LIKE if reaction > 0 else STATED_DISLIKE
    )  # fmt: skip
    # "not interested" and "seen" hide a title; neither says that the user likes what is like it
    says_nothing = not is_rated and (dismissed is not None or status is None)
    return _Title(
        max([one.stamp.time_ms for one in registers if one is not None]),
        anime_id,
        rating,
        0.0 if says_nothing else strength(rating, status, unrated=unrated),
        is_rated or dismissed is not None or status != _PLANNED,
        status == _COMPLETED or (status is None and (is_rated or seen is not None)),
        status == _DROPPED,
    )
