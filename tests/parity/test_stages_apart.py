"""Stages in two processes make the list that one process makes: every place, score, reason and feature, bit for bit.

The messages are really encoded and decoded; only the network between them is left out.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from gars import Filters, Rating, Recommender
from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.stage_messages import (
    Array,
    FoundMessage,
    ToRank,
    encode,
    pack_found,
    pack_history,
    unpack_found,
    unpack_history,
)
from gars.application.recommend.stages import Found, StagedEngine, check_version
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.errors import InvalidInputError, StageError
from gars.domain.history import History, from_ratings, from_state
from gars.domain.user_state import UserState, apply
from gars.library.engine import Engine
from gars.testing.events import event


class Elsewhere:
    """Both services over one engine, with the messages between."""

    problem = None

    def __init__(self, engine: Engine, version: str = "") -> None:
        self.engine = engine
        self.version = version or engine.version

    def retrieve(self, history: History, *, want: int, filters: Filters, model_version: str) -> Found:
        found = Found(self.version, self.engine.retrieve(over_the_wire(history), want=want, filters=filters))
        return unpack_found(msgspec.msgpack.decode(encode(pack_found(found)), type=FoundMessage))

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        return self.engine.retrieve_ids(history, k=k, filters=filters)

    def rank(self, history: History, found: Found, request: ListRequest) -> list[Recommendation]:
        sent = ToRank(
            history=pack_history(history),
            found=pack_found(found),
            k=request.k,
            offset=request.offset,
            filters=request.filters,
        )
        got = msgspec.msgpack.decode(encode(sent), type=ToRank)
        candidates = unpack_found(got.found).candidates
        made = self.engine.rank_found(
            unpack_history(got.history), candidates, ListRequest(k=got.k, offset=got.offset, filters=got.filters)
        )
        return msgspec.msgpack.decode(encode(made), type=list[Recommendation])

    def close(self) -> None:
        pass


def over_the_wire(history: History) -> History:
    return unpack_history(msgspec.msgpack.decode(encode(pack_history(history)), type=dict[str, Array]))


HISTORIES = {
    "nobody": from_ratings([]),
    "fan": from_ratings([Rating(100, 9), Rating(102, 8), Rating(103, 2), Rating(105, None)]),
    "clicked": from_state(apply(UserState(user_id="7"), event("7", 101))),
}


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize("filters", [Filters(), SERVICE_DEFAULTS, Filters(niche=0.5, diversity=0.5)], ids=str)
@pytest.mark.parametrize("which", ["both", "recall", "rank"])
def test_the_same_list(small: Recommender, name: str, filters: Filters, which: str) -> None:
    engine, history = small.engine, HISTORIES[name]
    services = Elsewhere(engine)
    apart = StagedEngine(
        engine,
        recall=services if which != "rank" else None,
        rank=services if which != "recall" else None,
    )
    for offset in (0, 3):
        whole = engine.recommend_history(history, ListRequest(k=5, offset=offset, filters=filters))
        assert apart.recommend_history(history, ListRequest(k=5, offset=offset, filters=filters)) == whole


def test_candidates_of_another_model_are_refused(small: Recommender) -> None:
    old = Elsewhere(small.engine, "old")
    apart = StagedEngine(small.engine, recall=old, rank=None)
    with pytest.raises(StageError, match="candidates are of model old") as caught:
        apart.recommend_history(HISTORIES["fan"], ListRequest(k=5, filters=Filters()))
    assert "gars model list" in (caught.value.hint or "")
    # in the order of retrieval ids say enough: any model may serve them
    assert len(apart.retrieve_ids(HISTORIES["fan"], k=5, filters=Filters())) == 5
    check_version("old", "old")


def test_an_engine_of_one_stage() -> None:
    with pytest.raises(InvalidInputError, match="cannot be had one at a time") as caught:
        StagedEngine(object(), recall=None, rank=None)  # type: ignore[arg-type]
    assert "GARS_RECALL" in (caught.value.hint or "")
