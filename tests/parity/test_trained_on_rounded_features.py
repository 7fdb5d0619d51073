"""A ranker trained from the log of shown lists, whose features are rounded, ranks as one trained on the exact ones.

Compared: what training takes from both logs, then the order of titles in lists neither ranker was trained on. The
control is noise in the features. Not compared: the like head, which does not learn from the log.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from gars import Recommender
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.application.ports import ImpressionLog
from gars.application.recommend.list_request import ListRequest
from gars.domain import user_state
from gars.domain.candidates import Filters
from gars.domain.history import from_state
from gars.domain.impression import Impression, ShownItem
from gars.domain.interaction import Interaction, Kind
from gars.domain.user_state import Row, UserState
from gars.pipeline.logged_training_data import LoggedTrainingData
from gars.ranking import mlp
from gars.ranking.examples import NOT_ASKED, RankingLists
from gars.ranking.network import Network
from gars.runtime.progress import Silent
from gars.testing.contracts.impression_log import impression
from gars.testing.events import START, event
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog

TRAINING, HELD_OUT = 300, 100
SHOWN = 20
NOISE = 0.2
"""Of the control, in standard deviations of each feature."""
CONFIG = mlp.RankingConfig(epochs=4, batch=32, hidden=(32, 16), validation_share=0)

Floats = NDArray[np.float64]


class Served:
    """Lists that the small model made for new users, and what they clicked: titles of their own parity, mostly."""

    def __init__(self, small: Recommender) -> None:
        rng = np.random.default_rng(5)
        self.before: dict[str, UserState] = {}
        self.impressions: list[Impression] = []
        self.clicks: list[Interaction] = []
        for number in range(TRAINING + HELD_OUT):
            user, own = f"user-{number}", number % 2
            rated = [Row(100 + int(one), 9 if one % 2 == own else 4) for one in rng.choice(60, 6, replace=False)]
            self.before[user] = user_state.initial(user, rated)
            made = small.engine.recommend_history(
                from_state(self.before[user]), ListRequest(k=SHOWN, filters=Filters())
            )
            items = tuple(
                ShownItem(one.anime_id, at, one.score, one.channels, one.features) for at, one in enumerate(made)
            )
            shown = replace(
                impression(f"{number:032x}", user), model_version=small.engine.version, k=SHOWN, items=items
            )
            self.impressions.append(shown)
            for item in items:
                if rng.random() < (0.4 if item.anime_id % 2 == own else 0.1):
                    clicked = event(user, item.anime_id, Kind.CLICK, at=START + timedelta(minutes=1))
                    self.clicks.append(replace(clicked, request_id=shown.request_id))

    def lists(self, small: Recommender, log: ImpressionLog) -> RankingLists:
        """Return what training takes from a log of these lists."""
        log.append(self.impressions)
        events = MemoryEventLog()
        events.append(self.clicks)
        models = small.engine.models
        n_features, n_genres = len(small.engine.feature_names), len(models.retriever.items.genre_names)
        empty = RankingLists(
            np.zeros((0, 1, n_features), np.float32),
            np.zeros((0, 1), np.int32),
            np.zeros((0, 2 * n_genres), np.float32),
            np.zeros((0, 1), np.float32),
            np.zeros((0, 1), np.float32),
            1,
        )
        blend = LoggedTrainingData(log, events, self.before.get, frozenset([small.engine.version]), fewest=1)
        return blend(empty, models)


def part(lists: RankingLists, chosen: slice) -> RankingLists:
    return RankingLists(
        lists.features[chosen], lists.rows[chosen], lists.taste[chosen], lists.order[chosen], lists.like[chosen], 1
    )


def scores(network: Network, lists: RankingLists) -> list[tuple[Floats, NDArray[np.bool_]]]:
    """Return the scores of each list's examined places, and which were clicked."""
    found = []
    for features, rows, taste, order in zip(lists.features, lists.rows, lists.taste, lists.order, strict=True):
        asked = order != NOT_ASKED
        scored = network.order_scores(features[asked], rows[asked].astype(np.int64), taste)
        found.append((scored.astype(np.float64), order[asked] == 1))
    return found


def ndcg(network: Network, lists: RankingLists) -> Floats:
    """NDCG of the clicked titles of each list."""
    values = []
    for scored, clicked in scores(network, lists):
        discount = 1 / np.log2(np.arange(len(scored)) + 2)
        values.append((clicked[np.argsort(-scored)] * discount).sum() / discount[: clicked.sum()].sum())
    return np.array(values)


def same_order(one: Network, other: Network, lists: RankingLists) -> float:
    """Return the share of pairs of a list's titles that both rank the same way."""
    agreed = [
        (a[first] > a[second]) == (b[first] > b[second])
        for (a, _), (b, _) in zip(scores(one, lists), scores(other, lists), strict=True)
        for first, second in combinations(range(len(a)), 2)
    ]
    return float(np.mean(agreed))


def test_a_ranker_trained_from_the_log_ranks_the_same(small: Recommender, tmp_path: Path) -> None:
    served = Served(small)
    log = SqliteImpressionLog(tmp_path / "impressions.sqlite")
    exact, rounded = served.lists(small, MemoryImpressionLog()), served.lists(small, log)
    log.close()
    assert len(exact) == len(rounded) > 0.9 * (TRAINING + HELD_OUT)
    for name in ("rows", "taste", "order", "like"):
        assert np.array_equal(getattr(exact, name), getattr(rounded, name)), name
    assert not np.array_equal(exact.features, rounded.features), "the control: the log rounds"

    training, held_out = slice(0, -HELD_OUT), part(exact, slice(-HELD_OUT, None))
    items = small.engine.models.retriever.items

    def trained(lists: RankingLists) -> Network:
        return mlp.fit(part(lists, training), items, config=CONFIG, seed=0, progress=Silent())[0]

    noise = np.random.default_rng(0).normal(0, NOISE, exact.features.shape) * exact.features.std(axis=(0, 1))
    noisy = dataclasses.replace(exact, features=(exact.features + noise).astype(np.float32))
    of_exact, of_rounded, of_noisy = trained(exact), trained(rounded), trained(noisy)
    gained = (ndcg(of_rounded, held_out) - ndcg(of_exact, held_out)).mean()
    agreed, agreed_noisy = same_order(of_exact, of_rounded, held_out), same_order(of_exact, of_noisy, held_out)
    print(
        f"NDCG {ndcg(of_exact, held_out).mean():.4f} exact, {gained:+.4f} from the log; pairs in the same order "
        f"{agreed:.4f}, with noise {agreed_noisy:.4f}"
    )
    assert ndcg(of_exact, held_out).mean() > 0.7, "it has learned something"
    assert abs(gained) < 0.02
    assert agreed > 0.95
    assert agreed_noisy < 0.9, "the control: noise of a fifth of a deviation is seen"
