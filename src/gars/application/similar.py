"""What is like an anime, and who is like a user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.application.catalogue import Catalogue
from gars.application.ports import Engine, StateStore
from gars.domain import history
from gars.domain.history import History
from gars.domain.user_state import UserState

_SHOWN_SHARED = 3


@dataclass(frozen=True, slots=True)
class SimilarUser:
    """Somebody with the same taste; ``shared_titles`` are those both like best."""

    user_id: str
    similarity: float
    shared: int
    shared_titles: tuple[int, ...]


class SimilarAnime:
    """The use case behind ``GET /anime/{id}/similar`` and ``GET /sim``."""

    def __init__(self, *, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue

    def __call__(self, anime_id: int, *, k: int = 10, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Anime ids with similarity, best first; raises ``UnknownAnimeError``."""
        self._catalogue.get(anime_id)
        return self._engine.similar_ids(anime_id, k=k, same_franchise=same_franchise)


def _nobody(_user_id: str) -> bool:
    """For callers where nobody was forgotten."""
    return False


class SimilarUsers:
    """The use case behind ``GET /users/{id}/similar-users``.

    Who was forgotten is not shown, though a model trained before may still hold them.
    """

    def __init__(self, *, engine: Engine, states: StateStore, is_forgotten: Callable[[str], bool] = _nobody) -> None:
        self._engine = engine
        self._states = states
        self._is_forgotten = is_forgotten

    def __call__(self, user_id: str, *, k: int = 10) -> list[SimilarUser]:
        """Users of the data set like this one, best first; none for somebody of whom nothing is known."""
        mine = self._history(user_id)
        if mine.is_empty:
            return []
        return [
            _compared(mine, self._history(other), other, similarity)
            for other, similarity in self._found(mine, k, user_id)
        ]

    def _found(self, mine: History, k: int, user_id: str) -> list[tuple[str, float]]:
        """The nearest ``k`` who were not forgotten; asks for more as long as that may help."""
        wanted = k
        while True:
            found = self._engine.similar_user_ids(mine, k=wanted, exclude=user_id)
            known = [pair for pair in found if not self._is_forgotten(pair[0])]
            if len(known) >= k or len(found) < wanted:
                return known[:k]
            wanted *= 2

    def _history(self, user_id: str) -> History:
        return history.from_state(self._states.get(user_id) or UserState(user_id=user_id))


def _compared(mine: History, theirs: History, other: str, similarity: float) -> SimilarUser:
    shared, at_mine, at_theirs = np.intersect1d(
        mine.anime_ids, theirs.anime_ids, assume_unique=True, return_indices=True
    )
    # best liked by the one of the two who likes it less; unrated counts as the middle of the scale
    liking = np.minimum(_filled(mine.ratings[at_mine]), _filled(theirs.ratings[at_theirs]))
    best = shared[np.lexsort((shared, -liking))][:_SHOWN_SHARED]
    return SimilarUser(other, similarity, len(shared), tuple(best.tolist()))


def _filled(ratings: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nan_to_num(ratings, nan=5.5)
