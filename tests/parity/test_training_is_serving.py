"""A feature has one value: what a training list holds is what serving computes for the same user and title.

Compared: every feature of every candidate, bit for bit, and the genre profile. Not compared: which candidates are drawn
(training proposes fewer a channel).
"""

import numpy as np

from gars import Rating, Recommender
from gars.domain import features
from gars.domain.history import from_ratings
from gars.library.examples import ranking_list
from gars.library.query import taste_profile


def test_training_features_are_serving_features(small: Recommender) -> None:
    engine = small.engine
    items = engine.retriever.items
    for user in range(0, 30, 5):
        listed = small.history_of(user)
        shown, hidden = listed[:-4], listed[-4:]
        history = from_ratings(shown)
        one = ranking_list(
            engine.models,
            history,
            items.rows(np.array([item for item, _ in hidden])),
            np.array([np.nan if rating is None else rating for _, rating in hidden], np.float32),
            allowed=~np.isin(np.arange(len(items)), items.rows(history.anime_ids)),
            length=40,
            per_channel=20,
            implicit=False,
        )
        assert one is not None
        served = engine.retriever.scored(*engine.query(history), one.rows)
        query = engine.models.query(history, served)
        # places depend on who else is there, so both must be asked about the same titles
        assert np.array_equal(one.features, features.matrix(query))
        assert np.array_equal(one.taste, taste_profile(query))


def test_labels_are_the_hidden_titles(small: Recommender) -> None:
    engine = small.engine
    history = from_ratings([Rating(100, 9), Rating(102, 8), Rating(103, 2)])
    hidden = np.array([4, 6, 7])  # ids 104, 106, 107
    one = ranking_list(
        engine.models,
        history,
        hidden,
        np.array([9, 3, np.nan], np.float32),
        allowed=~np.isin(np.arange(len(engine.retriever.items)), [0, 2, 3, 8]),
        length=40,
        per_channel=20,
        implicit=False,
    )
    assert one is not None
    by_row = dict(zip(one.rows.tolist(), zip(one.order.tolist(), one.like.tolist(), strict=True), strict=True))
    assert by_row[4][1] == 1
    assert by_row[6][1] == 0
    assert {0, 2, 3}.isdisjoint(by_row)  # the history itself is never a candidate
    assert 8 not in by_row  # nor what the user knows but was not shown: it would be a wrong negative
    assert all(order == 0 and like == -1 for row, (order, like) in by_row.items() if row not in (4, 6))
