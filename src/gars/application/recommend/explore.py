"""The ranked list, with the exploration slot where chance wants one: serving and replay make it here."""

from __future__ import annotations

from msgspec.structs import replace

from gars.application.recommend.engine import Engine, Recommendation
from gars.domain import exploration
from gars.domain.candidates import Filters
from gars.domain.history import History

CHANNEL = "explore"


def ranked(
    engine: Engine,
    known: History,
    *,
    k: int,
    offset: int,
    filters: Filters,
    request_id: str | None,
    explore: float,
) -> list[Recommendation]:
    """Places ``offset`` … ``offset + k``. Of a list that is shown, ``explore`` is the share with a slot for chance.

    Where there are fewer than ``exploration.POOL`` titles below the page, nothing is explored.
    """
    if request_id is None or explore <= 0 or k <= exploration.FIRST_PLACE:
        return engine.recommend_history(known, k=k, offset=offset, filters=filters)
    slot = exploration.draw(request_id, explore, k)
    # the pool decides whether a list can explore at all, so it is looked at even when this one does not
    deep = engine.recommend_history(known, k=k + exploration.POOL, offset=offset, filters=filters)
    page, below = deep[:k], deep[k:]
    if len(below) < exploration.POOL:
        return page
    page = [replace(item, propensity=exploration.propensity(place, explore, k)) for place, item in enumerate(page)]
    if slot is not None:
        drawn = below[slot.below]
        page[slot.place] = replace(
            drawn,
            channels=(*drawn.channels, CHANNEL),
            propensity=exploration.explored_propensity(explore, k, exploration.POOL),
        )
    return page
