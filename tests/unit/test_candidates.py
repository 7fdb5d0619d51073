import numpy as np
import pytest

from gars.domain.anime import Anime
from gars.domain.candidates import SERVICE_DEFAULTS, Filters, allowed, top
from gars.domain.errors import InvalidInputError
from gars.domain.franchise import collapse
from gars.domain.history import Rating, from_ratings
from gars.domain.item_table import ItemTable, build

CATALOGUE = [
    Anime(anime_id=1, title="One", type="TV", genres=("Action",), year=1999, episodes=24, members=900, franchise="a"),
    Anime(anime_id=2, title="Two", type="TV", genres=("Action", "Drama"), year=2005, franchise="a", prequels=(1,)),
    Anime(anime_id=3, title="Three", type="Movie", genres=("Drama",), episodes=1, members=5000, score=8.0),
    Anime(anime_id=5, title="Five", genres=("Hentai",), adult=True),
]


@pytest.fixture
def items() -> ItemTable:
    return build(CATALOGUE)


def ids(items: ItemTable, filters: Filters, *history: Rating) -> list[int]:
    found: list[int] = items.anime_ids[allowed(items, from_ratings(history), filters)].tolist()
    return found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [1, 2, 3, 5]),
        (Filters(adult=False), [1, 2, 3]),
        (Filters(types=("tv",)), [1, 2]),
        (Filters(types=("TV", "Movie")), [1, 2, 3]),
        (Filters(genres=("Action", "drama")), [2]),
        (Filters(exclude_genres=("Action",)), [3, 5]),
        (Filters(year_min=2000), [2]),
        (Filters(year_max=2000), [1]),
        (Filters(episodes_min=2), [1]),
        (Filters(episodes_max=12), [3]),
        (Filters(min_members=1000), [3]),
        (Filters(min_score=7.5), [3]),
        (Filters(exclude_ids=(1, 3, 99)), [2, 5]),
        (Filters(hide_sequels=True), [1, 3, 5]),
    ],
)
def test_each_filter(items: ItemTable, filters: Filters, expected: list[int]) -> None:
    assert ids(items, filters) == expected


def test_a_bound_on_what_the_catalogue_knows_nothing_of_hides_nothing() -> None:
    bare = build([Anime(anime_id=n, title=str(n)) for n in (1, 2)])
    assert ids(bare, SERVICE_DEFAULTS) == [1, 2]
    some = build([Anime(anime_id=1, title="1", members=900), Anime(anime_id=2, title="2")])
    assert ids(some, SERVICE_DEFAULTS) == [1]


def test_what_the_history_holds_is_hidden_and_its_sequel_is_not(items: ItemTable) -> None:
    assert ids(items, Filters(hide_sequels=True), Rating(1, 9)) == [2, 3, 5]


def test_a_disliked_title_can_hide_its_franchise(items: ItemTable) -> None:
    assert ids(items, Filters(hide_dropped_franchises=True), Rating(1, 2)) == [3, 5]
    assert ids(items, Filters(hide_dropped_franchises=True), Rating(1, 9)) == [2, 3, 5]


def test_an_unknown_genre_is_named_with_the_known_ones(items: ItemTable) -> None:
    with pytest.raises(InvalidInputError, match=r"unknown genre: Akction\n  → known: Action, Drama, Hentai"):
        ids(items, Filters(genres=("Akction",)))


def test_top_orders_by_score_then_id_and_leaves_out_what_is_not_finite() -> None:
    scores = np.array([1, 3, 3, -np.inf, 2], np.float32)
    assert top(scores, np.array([50, 40, 30, 20, 10]), 3).tolist() == [2, 1, 4]
    assert top(scores, np.array([50, 40, 30, 20, 10]), 1).tolist() == [2]
    assert top(scores, np.array([50, 40, 30, 20, 10]), 9).tolist() == [2, 1, 4, 0]
    assert top(np.full(4, -np.inf, np.float32), np.arange(4), 2).tolist() == []


def test_collapse_keeps_the_best_of_each_franchise() -> None:
    franchises = np.array([0, 0, 1, 2, 1], np.int32)
    assert collapse(np.array([4, 1, 2, 0, 3]), franchises).tolist() == [True, True, False, False, True]
    assert collapse(np.array([], np.int64), franchises).tolist() == []
