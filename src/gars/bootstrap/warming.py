"""Warm-up of an engine before the first request."""

from __future__ import annotations

import msgspec

from gars.application.recommend.engine import Engine
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.stage_messages import (
    ToRank,
    encode,
    pack_found,
    pack_history,
    unpack_found,
    unpack_history,
)
from gars.application.recommend.stages import Found, two_stages
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.history import History, Rating

_SOME = 10
_REQUEST = ListRequest(k=_SOME)
LENGTHS = _SOME, 200
"""Lengths of the histories to warm up with: a short one, and one that takes the other branch of gaussian_process."""


def warm_engine(engine: Engine) -> None:
    """Make a list for a short and a long history, so that no request waits for loading or compilation on first use."""
    for fan in _histories(engine):
        engine.recommend_history(fan, _REQUEST)


def warm_stages(engine: Engine) -> None:
    """Run both stages on arrays of this process, and on decoded messages as they come from another one.

    Arrays of a decoded message are read-only, and compiled functions are compiled anew for read-only arrays.

    Raises:
        InvalidInputError: the stages of the engine cannot be called separately.
    """
    stages = two_stages(engine)
    for fan in _histories(engine):
        found = Found(engine.version, stages.retrieve(fan, want=_SOME, filters=SERVICE_DEFAULTS))
        stages.rank_found(fan, found.candidates, _REQUEST)
        sent = encode(
            ToRank(history=pack_history(fan), found=pack_found(found), k=_SOME, offset=0, filters=SERVICE_DEFAULTS)
        )
        received = msgspec.msgpack.decode(sent, type=ToRank)
        known, candidates = unpack_history(received.history), unpack_found(received.found).candidates
        stages.retrieve(known, want=_SOME, filters=received.filters)
        stages.rank_found(known, candidates, _REQUEST)


def _histories(engine: Engine) -> list[History]:
    return [history.from_ratings([Rating(anime.anime_id, 9) for anime in engine.anime[:some]]) for some in LENGTHS]
