"""Great Anime Recommendation System: a two-stage, real-time recommender.

>>> from gars import Recommender, Rating, Filters
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gars.application.recommend.engine import Recommendation
    from gars.domain.candidates import Filters
    from gars.domain.history import Rating
    from gars.library.recommender import Recommender

__all__ = ["Filters", "Rating", "Recommendation", "Recommender"]

_HOMES = {
    "Filters": "gars.domain.candidates",
    "Rating": "gars.domain.history",
    "Recommendation": "gars.application.recommend.engine",
    "Recommender": "gars.library.recommender",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing a part stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gars' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
