from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from gars.domain import features
from gars.domain.anime import Anime
from gars.domain.candidates import Candidates
from gars.domain.features import item
from gars.domain.features.query import Query
from gars.domain.features.taste import prior_of, taste_of
from gars.domain.history import Rating, from_ratings
from gars.domain.item_table import build
from gars.library.query import Models
from gars.retrieval.ials import Factors
from gars.retrieval.item_to_item import ItemToItem, no_edges
from gars.retrieval.retriever import KNN, RetrievalConfig, Retriever
from gars.retrieval.user_knn import UserKnn

CATALOGUE = [
    Anime(anime_id=1, title="One", type="TV", genres=("Action",), year=2000, franchise="a"),
    Anime(anime_id=2, title="Two", type="TV", genres=("Action", "Drama"), year=2010, franchise="a", prequels=(1,)),
    Anime(anime_id=3, title="Three", type="Movie", genres=("Drama",)),
    Anime(anime_id=4, title="Four"),
]
LISTED_ROWS = np.array([0, 0, 0, 1, 1, 2])
LISTED_RATINGS = np.array([9, 9, 4, 8, np.nan, 3], np.float32)


def query(*history: Rating) -> Query:
    items = build(CATALOGUE).with_statistics(LISTED_ROWS, LISTED_RATINGS)
    retriever = Retriever(
        items=items,
        channels=(ItemToItem(KNN, no_edges(4)), ItemToItem("b", no_edges(4))),
        factors=Factors(np.zeros((4, 1), np.float32), np.eye(1, dtype=np.float32)),
        neighbours=UserKnn(np.zeros((0, 1), np.float32), sp.csr_array(np.zeros((0, 4), np.float32))),
        popularity=np.zeros(4, np.float32),
        vectors=np.zeros((4, 2), np.float32),
        config=RetrievalConfig(),
    )
    found = Candidates(
        rows=np.arange(4),
        channel_scores=np.array([[1, 0], [3, 0], [2, 0], [0, 0]], np.float32),
        proposed=np.zeros((4, 2), np.bool_),
        strongest=np.zeros((4, 2), np.float32),
        supporters=np.zeros((4, 2), np.float32),
        fused=np.zeros(4, np.float32),
        channel_names=("a", "b"),
    )
    return Models(retriever, None, prior_of(items)).query(from_ratings(history), found)


def columns(*history: Rating) -> dict[str, np.ndarray]:
    return dict(zip(features.names(("a", "b")), features.matrix(query(*history)).T, strict=True))


def test_every_column_has_a_name_and_every_value_is_finite() -> None:
    for history in ((), (Rating(1, 9),), (Rating(1, None), Rating(3, 2), Rating(777, 5))):
        wanted = query(*history)
        values = features.matrix(wanted)
        assert values.shape == (4, len(features.names(("a", "b"))))
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


def test_names_are_unique() -> None:
    names = features.names(("edlae", "deepwalk"))
    assert len(set(names)) == len(names)


def test_the_prior_is_the_share_over_all_ratings() -> None:
    assert query().prior.like_rate == pytest.approx(3 / 5)


def test_like_rate_of_a_user_shrinks_to_the_prior() -> None:
    assert query().taste.like_rate == pytest.approx(0.6)
    assert query(Rating(1, 9)).taste.like_rate == pytest.approx((1 + 4 * 0.6) / 5)


def test_titles_the_catalogue_does_not_have_are_left_out_of_the_taste() -> None:
    assert query(Rating(1, 9), Rating(777, 1)).taste.rows.tolist() == [0]


def test_places_in_a_channel_follow_its_scores() -> None:
    places = columns()["a_place"]
    assert places.argsort().tolist() == [1, 2, 0, 3]


def test_the_next_season_of_a_liked_series() -> None:
    liked = columns(Rating(1, 10))
    assert liked["prequel_seen"].tolist() == [0, 1, 0, 0]
    assert liked["prequel_liking"][1] > 0
    assert liked["prequel_missing"].tolist() == [0, 0, 0, 0]
    assert columns(Rating(3, 10))["prequel_missing"].tolist() == [0, 1, 0, 0]


def test_genres_liked_more_than_usual() -> None:
    gap = columns(Rating(1, 10), Rating(3, 1))["genre_like_gap"]
    assert gap[0] > 0 > gap[2]
    assert gap[3] == 0


def test_unknown_year_has_a_flag_of_its_own() -> None:
    values = columns(Rating(1, 9))
    assert values["year_known"].tolist() == [1, 1, 0, 0]
    assert values["year_gap"][1] == pytest.approx(1.0)


def test_item_like_rates_shrink_to_the_prior() -> None:
    rate = columns()["item_like_rate"]
    assert rate[3] == pytest.approx(0.6)
    assert rate[0] == pytest.approx((2 + 5 * 0.6) / 8)


def test_popularity_gap_is_to_the_titles_of_the_user() -> None:
    gap = columns(Rating(1, 9))["popularity_gap"]
    assert gap[0] == pytest.approx(0)
    assert gap[2] < 0


def test_recency_is_compared_with_the_latest_titles_of_the_user() -> None:
    catalogue = [Anime(anime_id=place, title=str(place), year=year) for place, year in enumerate((1990, 2018, 2020), 1)]
    catalogue.append(Anime(anime_id=4, title="no year"))
    items = build(catalogue).with_statistics(LISTED_ROWS, LISTED_RATINGS)
    wanted = query()
    history = from_ratings((Rating(1, 9), Rating(2, 8)))
    wanted = replace(wanted, items=items, taste=taste_of(history, items, prior_of(items)))
    wanted = replace(wanted, records=item.records_of(items, wanted.prior))
    values = dict(zip(features.names(("a", "b")), features.matrix(wanted).T, strict=True))
    # of two titles the lower one is at the 0.9 quantile by index 0
    assert values["latest_gap"].tolist() == pytest.approx([0, 2.8, 3.0, 0])
    assert values["year_share"].tolist() == pytest.approx([0.5, 0.5, 0.5, 0])


def test_viewer_share_is_of_users_whose_list_could_hold_the_title() -> None:
    items = build(CATALOGUE).with_statistics(LISTED_ROWS, LISTED_RATINGS, np.array([300, 10, 10, 0], np.float32))
    log_viewers, _, log_share, *_ = item.records_of(items, prior_of(items)).numbers.T
    assert log_viewers[0] > log_viewers[1]
    assert log_share[0] < log_share[1]
    assert np.isfinite(log_share).all()
