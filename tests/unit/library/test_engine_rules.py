"""Niche and diversity on a trained engine."""

from dataclasses import replace

import numpy as np
import pytest

from gars import Filters, Rating, Recommender
from gars.application.recommend.list_request import ListRequest

PLAIN = Filters()
HISTORY = [Rating(100, 10), Rating(102, 9), Rating(104, 9), Rating(101, 3)]


def ids(small: Recommender, k: int, offset: int = 0, filters: Filters = PLAIN) -> list[int]:
    made = small.engine.recommend_history(small.read_history(HISTORY), ListRequest(k=k, offset=offset, filters=filters))
    return [item.anime_id for item in made]


@pytest.mark.parametrize("diversity", [0.1, 0.25, 1.0])
def test_the_first_places_do_not_depend_on_how_many_are_asked_for(small: Recommender, diversity: float) -> None:
    filters = Filters(diversity=diversity)
    assert ids(small, 5, filters=filters) + ids(small, 15, 5, filters) == ids(small, 20, filters=filters)


def test_diversity_mixes_the_genres_of_the_first_places(small: Recommender) -> None:
    def even(found: list[int]) -> int:
        return sum(anime_id % 2 == 0 for anime_id in found)

    plain, diverse = ids(small, 10), ids(small, 10, filters=Filters(diversity=1))
    assert diverse[0] == plain[0]
    assert even(diverse) < even(plain)
    assert sorted(ids(small, 60)) == sorted(ids(small, 60, filters=Filters(diversity=1)))


def test_niche_brings_up_what_fewer_watch(small: Recommender) -> None:
    counts = small.engine.retriever.items.counts

    def viewers(found: list[int]) -> float:
        """Of the titles, a place counting the more the higher it is."""
        return float(np.average(counts[np.array(found) - 100], weights=1 / np.log2(np.arange(len(found)) + 2)))

    assert viewers(ids(small, 10, filters=Filters(niche=1))) < viewers(ids(small, 10))


def test_terms_hold_those_of_the_model_and_of_niche(small: Recommender) -> None:
    made = small.engine.recommend_history(small.read_history(HISTORY), ListRequest(k=3, filters=Filters(niche=0.5)))
    assert all(set(item.terms) == {"model", "niche"} for item in made)
    assert len(small.engine.feature_names) == len(made[0].features) / 4


def test_the_weights_of_the_latest_clicks_and_of_stage_one(small: Recommender) -> None:
    engine = small.engine
    history = replace(small.read_history(HISTORY), clicks=np.array([105], np.int64))

    def terms(filters: Filters) -> set[str]:
        return set(engine.recommend_history(history, ListRequest(k=1, filters=filters))[0].terms)

    def order(filters: Filters) -> list[int]:
        return [item.anime_id for item in engine.recommend_history(history, ListRequest(k=8, filters=filters))]

    assert terms(PLAIN) == {"model", "session"}
    assert terms(Filters(session=0)) == {"model"}
    # with all the weight on stage one its order comes out
    whole = order(Filters(retrieval=1e6, session=0))
    assert whole == engine.retrieve_ids(history, k=8, filters=PLAIN).tolist()
    assert whole != order(Filters(session=0))
