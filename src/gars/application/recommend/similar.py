"""Find similar anime and similar users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gars.application.catalogue.catalogue import Catalogue
from gars.application.ports import StateStore
from gars.application.recommend.engine import Engine
from gars.domain import history
from gars.domain.history import History
from gars.domain.user_state import UserState

_SHOWN_SHARED = 3


_SHOWN_GENRES = 3


@dataclass(frozen=True, slots=True)
class TasteSummary:
    """Summary of a user's taste."""

    genres: tuple[str, ...]
    """Genres with a share above the catalogue's average, largest difference first."""
    titles: int
    rating_mean: float | None


@dataclass(frozen=True, slots=True)
class SimilarUser:
    """A user with similar taste; ``shared_titles`` are the common titles both like best."""

    user_id: str
    similarity: float
    shared: int
    overlap: float
    """Jaccard index of the two lists, 0–1."""
    shared_titles: tuple[int, ...]
    taste: TasteSummary


class SimilarAnime:
    """The use case behind ``GET /anime/{id}/similar`` and ``GET /sim``."""

    def __init__(self, *, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue

    def __call__(self, anime_id: int, *, k: int = 10, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Return anime ids with similarity, best first; raises ``UnknownAnimeError``."""
        self._catalogue.get(anime_id)
        return self._engine.similar_ids(anime_id, k=k, same_franchise=same_franchise)


def _no_user(_user_id: str) -> bool:
    """Return false; for callers without tombstones."""
    return False


class SimilarUsers:
    """The use case behind ``GET /users/{id}/similar-users``.

    Forgotten users are not shown, though a model trained earlier may still contain them.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        catalogue: Catalogue,
        states: StateStore,
        is_forgotten: Callable[[str], bool] = _no_user,
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._usual = _usual_genres(catalogue)
        self._states = states
        self._is_forgotten = is_forgotten

    def __call__(self, user_id: str, *, k: int = 10) -> list[SimilarUser]:
        """Return similar users of the data set, best first; empty for a user without history."""
        mine = self._history(user_id)
        if mine.is_empty:
            return []
        return [
            self._compared(mine, self._history(other), other, similarity)
            for other, similarity in self._found(mine, k, user_id)
        ]

    def _found(self, mine: History, k: int, user_id: str) -> list[tuple[str, float]]:
        """Return the nearest ``k`` users that were not forgotten; doubles the request until there are enough."""
        wanted = k
        while True:
            found = self._engine.similar_user_ids(mine, k=wanted, exclude=user_id)
            known = [pair for pair in found if not self._is_forgotten(pair[0])]
            if len(known) >= k or len(found) < wanted:
                return known[:k]
            wanted *= 2

    def _history(self, user_id: str) -> History:
        return history.from_state(self._states.get(user_id) or UserState(user_id=user_id))

    def _compared(self, mine: History, theirs: History, other: str, similarity: float) -> SimilarUser:
        shared, at_mine, at_theirs = np.intersect1d(
            mine.anime_ids, theirs.anime_ids, assume_unique=True, return_indices=True
        )
        # best liked by the one of the two who likes it less; unrated counts as the middle of the scale
        liking = np.minimum(_filled(mine.ratings[at_mine]), _filled(theirs.ratings[at_theirs]))
        best = shared[np.lexsort((shared, -liking))][:_SHOWN_SHARED]
        overlap = len(shared) / max(1, len(mine) + len(theirs) - len(shared))
        return SimilarUser(other, similarity, len(shared), overlap, tuple(best.tolist()), self._taste(theirs))

    def _taste(self, theirs: History) -> TasteSummary:
        """Summarise a user's taste from titles with positive weight."""
        speaking = theirs.anime_ids[theirs.weights > 0].tolist()
        found = [anime for anime_id in speaking if (anime := self._catalogue.find(anime_id)) is not None]
        counts = Counter(genre for anime in found for genre in anime.genres)
        lift = {genre: count / len(found) - self._usual.get(genre, 0.0) for genre, count in counts.items()}
        above = sorted((genre for genre in lift if lift[genre] > 0), key=lambda genre: (-lift[genre], genre))
        rated = theirs.ratings[~np.isnan(theirs.ratings)]
        mean = round(float(rated.mean()), 2) if len(rated) else None
        return TasteSummary(tuple(above[:_SHOWN_GENRES]), len(theirs), mean)


def _usual_genres(catalogue: Catalogue) -> dict[str, float]:
    """Return the share of each genre in all viewing, by members."""
    viewers: Counter[str] = Counter()
    total = 0
    for anime in catalogue.anime:
        weight = anime.members or 1
        total += weight
        for genre in anime.genres:
            viewers[genre] += weight
    return {genre: count / max(1, total) for genre, count in viewers.items()}


def _filled(ratings: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nan_to_num(ratings, nan=5.5)
