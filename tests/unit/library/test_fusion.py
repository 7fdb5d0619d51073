"""The weights of the fused order are learned where that is better on users they were not learned on."""

from __future__ import annotations

import msgspec
import pytest

from gars import Recommender
from gars.library.fit_config import FitConfig
from gars.retrieval.retriever import Retriever
from gars_test_support.world import SMALL, small_world


def fitted(fusion: dict[str, float], **settings: int) -> Recommender:
    interactions, catalogue = small_world()
    retrieval = msgspec.structs.replace(SMALL.retrieval, fusion=fusion)
    config: FitConfig = msgspec.structs.replace(SMALL, retrieval=retrieval, **settings)
    return Recommender.fit(interactions, catalogue, config=config, progress=False)


@pytest.fixture(scope="module")
def learned() -> Recommender:
    return fitted({"popularity": 1.0})


def test_weights_that_fit_other_data_are_replaced(learned: Recommender) -> None:
    measured = learned.measured
    given, found = (
        measured[f"recall@20 {name} fusion"] + measured[f"ndcg@20 {name} fusion"] for name in ("given", "learned")
    )
    assert found > given
    weights = learned.config.retrieval.fusion
    assert set(weights) - {"popularity"}, weights
    retriever = learned.engine.retriever
    assert isinstance(retriever, Retriever)
    assert retriever.config.fusion == weights


def test_the_given_weights_stay_without_users_to_learn_on() -> None:
    kept = fitted({"popularity": 1.0}, fusion_users=0)
    assert kept.config.retrieval.fusion == {"popularity": 1.0}
    assert "ndcg@20 learned fusion" not in kept.measured


def test_the_same_seed_learns_the_same_weights(learned: Recommender) -> None:
    assert fitted({"popularity": 1.0}).config.retrieval.fusion == learned.config.retrieval.fusion
