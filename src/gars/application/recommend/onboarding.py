"""Titles for a new user to rate: popular, and different from each other."""

from __future__ import annotations

from gars.application.catalogue.catalogue import Catalogue
from gars.application.recommend.engine import Engine
from gars.domain.candidates import SERVICE_DEFAULTS

_POOL = 12
"""Size of the pool as a multiple of ``k``: in a larger one users do not recognise the titles."""
_SAMENESS = 0.6
"""Maximum penalty on the rank score for genres shared with the picks so far."""


def onboarding(engine: Engine, catalogue: Catalogue, *, k: int) -> list[int]:
    """Pick up to ``k`` ids greedily by popularity less the genre similarity to the picks so far, one a franchise."""
    pool = engine.popular_ids(k=k * _POOL, filters=SERVICE_DEFAULTS).tolist()
    genres = {anime_id: frozenset(catalogue.get(anime_id).genres) for anime_id in pool}
    rank = {anime_id: 1 - place / len(pool) for place, anime_id in enumerate(pool)}
    sameness = dict.fromkeys(pool, 0.0)
    picked: list[int] = []
    while pool and len(picked) < k:
        best = max(pool, key=lambda anime_id: (rank[anime_id] - _SAMENESS * sameness[anime_id], -anime_id))
        pool.remove(best)
        picked.append(best)
        for anime_id in pool:
            sameness[anime_id] = max(sameness[anime_id], _jaccard(genres[anime_id], genres[best]))
    return picked


def _jaccard(these: frozenset[str], those: frozenset[str]) -> float:
    both = these | those
    return len(these & those) / len(both) if both else 1.0
