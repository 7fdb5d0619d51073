"""An engine's first answers, made before somebody waits for them."""

from __future__ import annotations

from gars.application.engine import Engine
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.history import Rating

_SOME = 10
LENGTHS = _SOME, 200
"""Titles of those whose lists are made: few, and so many that gaussian_process goes another way."""


def warm_engine(engine: Engine) -> None:
    """Make a list for few titles and for many, so that no caller waits for what is loaded or compiled on first use."""
    for several in LENGTHS:
        fan = history.from_ratings([Rating(anime.anime_id, 9) for anime in engine.anime[:several]])
        engine.recommend_history(fan, k=_SOME, filters=SERVICE_DEFAULTS)
