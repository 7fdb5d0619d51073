"""Warm-up of an engine before the first request."""

from __future__ import annotations

from gars.application.recommend.engine import Engine
from gars.application.recommend.list_request import ListRequest
from gars.domain import history
from gars.domain.history import Rating

_SOME = 10
_REQUEST = ListRequest(k=_SOME)
LENGTHS = _SOME, 100, 200
"""Lengths of the histories to warm up with: one for each branch of ``ranking.gaussian_process``."""


def warm_engine(engine: Engine) -> None:
    """Make a list for a short and a long history, so that no request waits for loading or compilation on first use."""
    for several in LENGTHS:
        fan = history.from_ratings([Rating(anime.anime_id, 9) for anime in engine.anime[:several]])
        engine.recommend_history(fan, _REQUEST)
