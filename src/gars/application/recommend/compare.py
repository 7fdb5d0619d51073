"""Compare the taste of two users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.application.ports import StateStore
from gars.application.recommend.engine import Engine
from gars.domain import history
from gars.domain.errors import UnknownUserError
from gars.domain.history import LIKED_ABOVE, History
from gars.domain.user_state import UserState

_MOST_TITLES = 1000
"""Titles of each user that are compared, latest first: bounds the cost of the predictions."""
_MOST_SHOWN = 12
_DIFFERENT = 3
"""Least difference of two ratings for a title on which two users differ."""


@dataclass(frozen=True, slots=True)
class ComparedTitle:
    """A title that both users rated; a rating is ``None`` where there is only a like or a dislike."""

    anime_id: int
    rating: int | None
    other_rating: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Agreement of two users."""

    match: float | None
    """Probability that both like or both dislike a title that one of them watched; ``None`` without such titles."""
    by_chance: float | None
    """The same probability for two users with these shares of liked titles and independent tastes."""
    titles: int
    """Number of titles that ``match`` is the mean over."""
    shared: int
    """Number of titles that both watched."""
    rated: int
    """Number of titles that both rated."""
    agreed: int
    """Number of those that both like or both do not."""
    both_love: tuple[ComparedTitle, ...]
    differ: tuple[ComparedTitle, ...]


class CompareUsers:
    """The use case behind ``GET /users/{id}/compare/{other}``.

    Each title that at least one of the two watched has a probability of being liked for each of them: 1 or 0 where they
    rated or dropped it, else the prediction of the model. ``match`` is the mean probability of agreement, ``by_chance``
    the agreement expected from the two means alone (Cohen, "A coefficient of agreement for nominal scales", 1960).
    """

    def __init__(self, *, engine: Engine, states: StateStore) -> None:
        self._engine = engine
        self._states = states

    def __call__(self, user_id: str, other_id: str) -> Comparison:
        """Compare two users. The ratings of the first are ``rating``, those of the second ``other_rating``.

        Raises:
            UnknownUserError: there is no user of one of the ids.
        """
        found = self._states.get_many([user_id, other_id])
        if missing := [one for one in (user_id, other_id) if one not in found]:
            raise UnknownUserError(missing)
        states = found[user_id], found[other_id]
        mine, theirs = history.from_state(states[0]), history.from_state(states[1])
        match, by_chance, titles = self._agreement(mine, theirs)
        both, at_mine, at_theirs = np.intersect1d(
            mine.anime_ids, theirs.anime_ids, assume_unique=True, return_indices=True
        )
        ratings = np.stack([mine.ratings[at_mine], theirs.ratings[at_theirs]])
        rated = ~np.isnan(ratings).any(axis=0)
        both, ratings = both[rated], ratings[:, rated]
        liked = ratings > LIKED_ABOVE
        distance: NDArray[np.float32] = np.abs(ratings[0] - ratings[1])
        by_love = np.lexsort((both, -ratings.sum(axis=0), -ratings.min(axis=0)))
        by_distance = np.lexsort((both, -distance))

        def shown(places: NDArray[np.int64]) -> tuple[ComparedTitle, ...]:
            return tuple(_title(int(both[place]), *states) for place in places[:_MOST_SHOWN])

        return Comparison(
            match=match,
            by_chance=by_chance,
            titles=titles,
            shared=len(np.intersect1d(_watched(mine), _watched(theirs), assume_unique=True)),
            rated=len(both),
            agreed=int((liked[0] == liked[1]).sum()),
            both_love=shown(by_love[liked[:, by_love].all(axis=0)]),
            differ=shown(by_distance[distance[by_distance] >= _DIFFERENT]),
        )

    def _agreement(self, mine: History, theirs: History) -> tuple[float | None, float | None, int]:
        """Return the probability of agreement, the same by chance, and the number of titles compared."""
        listed = [_watched(one)[-_MOST_TITLES:] for one in (mine, theirs)]
        if not all(len(ids) for ids in listed):
            return None, None, 0
        union = np.unique(np.concatenate(listed))
        chances = np.stack([self._chances(one, union) for one in (mine, theirs)])
        a, b = chances[:, ~np.isnan(chances).any(axis=0)]
        if not len(a):
            return None, None, 0
        match = float((a * b + (1 - a) * (1 - b)).mean())
        return match, float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())), len(a)

    def _chances(self, one: History, anime_ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability that a user likes each title: 1 or 0 where that is known. (n,) → (n,)"""
        chances = self._engine.like_chances(one, anime_ids).astype(np.float64)
        rated = ~np.isnan(one.ratings)
        known = (
            (one.dropped, np.zeros(len(one.dropped), np.bool_)),
            (one.anime_ids[rated], one.ratings[rated] > LIKED_ABOVE),
        )
        for ids, liked in known:
            _, places, at = np.intersect1d(anime_ids, ids, assume_unique=True, return_indices=True)
            chances[places] = liked[at]
        return chances


def _watched(one: History) -> NDArray[np.int64]:
    """Return the titles that are evidence of taste: rated, dropped, or neither planned nor of weight 0. → (m,)"""
    rated, dropped = ~np.isnan(one.ratings), np.isin(one.anime_ids, one.dropped)
    watched: NDArray[np.int64] = one.anime_ids[rated | dropped | (one.hidden & (one.weights > 0))]
    return watched


def _title(anime_id: int, mine: UserState, theirs: UserState) -> ComparedTitle:
    first, second = (state.opinions[anime_id].rating for state in (mine, theirs))
    return ComparedTitle(
        anime_id, *(None if one is None or one.value is None else int(one.value) for one in (first, second))
    )
