"""The ranked list with an exploration slot, for serving and for replay."""

from __future__ import annotations

from msgspec.structs import replace

from gars.application.recommend.engine import Engine, Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.domain import exploration
from gars.domain.history import History

CHANNEL = "explore"


def explored(engine: Engine, share: float, history: History, request: ListRequest) -> list[Recommendation]:
    """Return the requested ranks; a ``share`` of the lists that are shown has one rank drawn at random.

    Lists with fewer than ``exploration.POOL`` titles below the page are not explored.
    """
    if request.request_id is None or share <= 0 or request.k <= exploration.FIRST_PLACE:
        return engine.recommend_history(history, request)
    k = request.k
    slot = exploration.draw(request.request_id, share, k)
    # the pool decides whether a list can explore at all, so it is looked at even when this one does not
    deep = engine.recommend_history(history, replace(request, k=k + exploration.POOL))
    page, below = deep[:k], deep[k:]
    if len(below) < exploration.POOL:
        return page
    page = [replace(item, propensity=exploration.propensity(place, share, k)) for place, item in enumerate(page)]
    if slot is not None:
        drawn = below[slot.below]
        page[slot.place] = replace(
            drawn,
            channels=(*drawn.channels, CHANNEL),
            propensity=exploration.explored_propensity(share, k, exploration.POOL),
        )
    return page
