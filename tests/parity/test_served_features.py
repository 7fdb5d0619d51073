"""A served place carries the features the ranker saw, bit for bit those of training and of asking again.

Compared: every feature of every served place. Not compared: candidates that were not served.
"""

from __future__ import annotations

import numpy as np

from gars import Filters, Rating, Recommender
from gars.application.recommend.list_request import ListRequest
from gars.domain import features
from gars.domain.history import from_ratings


def test_a_place_carries_what_the_ranker_saw(small: Recommender) -> None:
    engine = small.engine
    history = from_ratings([Rating(100, 9), Rating(102, 8), Rating(103, 2)])
    served = engine.recommend_history(history, ListRequest(k=5, offset=2, filters=Filters()))
    found = engine.retrieve(history, want=7, filters=Filters())
    matrix = features.matrix(engine.models.query(history, found))
    places = {int(engine.retriever.items.anime_ids[row]): place for place, row in enumerate(found.rows)}
    assert len(served) == 5
    for item in served:
        assert np.array_equal(np.frombuffer(item.features, np.float32), matrix[places[item.anime_id]])
        assert len(item.features) == 4 * len(features.names(engine.retriever.channel_names))
