"""The search of EDLAE's settings on held-out entries: what is better by a margin is taken, all else stays."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import scipy.sparse as sp

from gars import Recommender
from gars.retrieval import edlae_search
from gars.retrieval.edlae import EdlaeSettings
from gars.retrieval.retriever import RetrievalConfig
from gars.runtime.progress import Silent
from gars_test_support.world import SMALL, small_world


@pytest.fixture(scope="module")
def lists() -> sp.csr_array:
    """400 users of ten groups: items of their group, and a few of those popular with all."""
    rng = np.random.default_rng(2)
    dense = np.zeros((400, 200), np.float32)
    for user, row in enumerate(dense):
        row[user % 10 + 10 * rng.choice(16, 6, replace=False)] = 1
        row[160 + np.unique((40 * rng.random(4) ** 2).astype(int))] = 1
    return sp.csr_array(dense)


def search(
    lists: sp.csr_array, given: EdlaeSettings, trials: int = 8, users: int = 400
) -> tuple[EdlaeSettings, dict[str, float]]:
    return edlae_search.search(lists, given, trials=trials, users=users, min_count=2, seed=0, progress=Silent())


def test_settings_that_are_far_off_are_left(lists: sp.csr_array) -> None:
    given = EdlaeSettings(l2=100_000.0, popularity_power=0.0)
    chosen, measured = search(lists, given)
    assert chosen != given
    assert measured["ndcg@20 tried edlae"] > measured["ndcg@20 given edlae"] + 0.02
    assert measured["search trials"] == 8
    assert search(lists, given) == (chosen, measured)


def test_a_gain_within_the_error_changes_nothing(lists: sp.csr_array, monkeypatch: pytest.MonkeyPatch) -> None:
    given = EdlaeSettings(l2=100_000.0, popularity_power=0.0)
    monkeypatch.setattr(edlae_search, "_ERRORS", 1e3)
    chosen, measured = search(lists, given)
    assert chosen == given
    assert measured["ndcg@20 tried edlae"] > measured["ndcg@20 given edlae"]


@pytest.mark.parametrize(("trials", "users"), [(0, 400), (8, 40)])
def test_without_trials_or_users_the_given_settings_stay(lists: sp.csr_array, trials: int, users: int) -> None:
    given = EdlaeSettings(l2=100_000.0)
    assert search(lists, given, trials, users) == (given, {})


def test_fit_keeps_the_search_in_its_configuration_and_its_figures_in_the_manifest() -> None:
    rows, catalogue = small_world()
    off = msgspec.structs.replace(SMALL.retrieval, edlae=EdlaeSettings(l2=100_000.0, popularity_power=0.0))
    config = msgspec.structs.replace(SMALL, search_trials=4, retrieval=off)
    fitted = Recommender.fit(rows, catalogue, config=config, progress=False)
    assert fitted.measured["search trials"] == 4
    given, tried = (fitted.measured[f"recall@20 {name} edlae"] for name in ("given", "tried"))
    served = fitted.engine.retriever.config
    assert isinstance(served, RetrievalConfig)
    assert served.edlae == fitted.config.retrieval.edlae
    assert tried >= 0.9 * given
