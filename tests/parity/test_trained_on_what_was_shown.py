"""Serving and training see the same numbers: what the ranker is trained on is what the service ranked by.

Compared: features of every examined place, and the user's genre profile, bit for bit. Not compared: lists of a model
with other features, and users whose list from before the log is not known; those are left out and counted.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from gars import Recommender
from gars.application.recommend.engine import Engine
from gars.application.recommend.list_request import ListRequest
from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.domain import user_state
from gars.domain.features.query import Query
from gars.domain.interaction import Kind
from gars.domain.user_state import Row, UserState
from gars.library import query
from gars.library.blas import one_thread
from gars.library.fitting import FitHooks
from gars.library.recommender import fit_with
from gars.pipeline.logged_training_data import LoggedTrainingData
from gars.ranking.examples import NOT_ASKED, RankingLists
from gars.testing.events import event
from gars_test_support.world import SMALL, small_world

FIRST = {name: user_state.initial(name, [Row(100 + place, 9), Row(103, 2)]) for place, name in enumerate(("a", "b"))}


@pytest.fixture
def served(small: Recommender, tmp_path: Path) -> Service:
    engine: Engine = small.engine
    return open_service(from_environment({}, home=tmp_path), engine)


def live(service: Service, turns: int, seed: int = 0) -> None:
    """Both users look at lists and click on some of them."""
    rng = random.Random(seed)
    service.states.put_initial(list(FIRST.values()))
    with one_thread():
        for turn in range(turns):
            user = rng.choice(["a", "b", "newcomer"])
            made = service.recommend(ListRequest(user_id=user, k=8, request_id=f"r{turn}"))
            chosen = rng.choice(made.items[1:])
            clicked = event(user, chosen.anime_id, Kind.CLICK, at=service.clock.now())
            service.writer.submit([clicked]).result(10)
    service.recorder.flush()


def lists_of(service: Service, small: Recommender, fewest: int = 1, version: str | None = None) -> LoggedTrainingData:
    versions = frozenset([version or small.engine.version])
    return LoggedTrainingData(service.impressions, service.log, FIRST.get, versions, fewest=fewest)


def nothing(small: Recommender) -> RankingLists:
    engine = small.engine
    names, genres = len(engine.feature_names), len(engine.retriever.items.genre_names)
    return RankingLists(
        np.zeros((1, 3, names), np.float32),
        np.zeros((1, 3), np.int32),
        np.zeros((1, 2 * genres), np.float32),
        np.full((1, 3), NOT_ASKED, np.float32),
        np.full((1, 3), NOT_ASKED, np.float32),
        1,
    )


def test_the_same_features_and_the_same_taste(
    served: Service, small: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    tastes: list[NDArray[np.float32]] = []
    plain = query.taste_profile

    def noted(one: Query) -> NDArray[np.float32]:
        tastes.append(plain(one))
        return tastes[-1]

    monkeypatch.setattr("gars.library.engine.taste_profile", noted)
    live(served, 15)
    logged = {tuple(item.features for item in one.items) for one in served.impressions.read()}
    blend = lists_of(served, small)
    found = blend(nothing(small), small.engine.models)
    assert blend.blended
    assert len(found) == 1 + blend.used
    assert blend.used > 5
    shown = {features for one in logged for features in one}
    for number in range(1, len(found)):
        asked = found.order[number] != NOT_ASKED
        assert {row.tobytes() for row in found.features[number][asked]} <= shown
        assert found.order[number][asked][-1] == 1, "the last examined place is the one that was clicked"
        assert any(np.array_equal(found.taste[number], taste) for taste in tastes)
    # negative control: without the list from before the log it is another taste
    other = LoggedTrainingData(
        served.impressions, served.log, lambda user: UserState(user_id=user), blend.versions, fewest=1
    )(nothing(small), small.engine.models)
    assert not np.array_equal(other.taste, found.taste)
    served.close()


def test_too_few_lists_change_nothing_and_are_reported(served: Service, small: Recommender) -> None:
    live(served, 6)
    blend = lists_of(served, small, fewest=100)
    lists = nothing(small)
    assert blend(lists, small.engine.models) is lists
    assert blend.summary().endswith("fewer than 100, so the ranker learns from the data set alone")
    stranger = lists_of(served, small, version="another")
    assert stranger(lists, small.engine.models) is lists
    assert "6 of other models" in stranger.summary()
    served.close()


def test_the_ranker_learns_from_them(served: Service, small: Recommender) -> None:
    live(served, 30)
    interactions, catalogue = small_world()
    counts: list[int] = []
    blend = lists_of(served, small)
    few = interactions.filter(pl.col("user_id") < 60)
    for one in (None, blend):
        hooks = FitHooks(on_lists=lambda lists: counts.append(len(lists)), blend=one)
        fit_with(hooks, few, catalogue, config=SMALL)
    assert counts[1] - counts[0] == blend.used > 0
    assert "the ranker learns from their" in blend.summary()
    served.close()
