from datetime import date

import numpy as np
import pytest

from gars.application.recommend.rerank import collapse
from gars.domain.anime import Anime, Streaming
from gars.domain.candidates import SERVICE_DEFAULTS, Filters, allowed
from gars.domain.errors import InvalidInputError
from gars.domain.franchise import find_sequels
from gars.domain.history import Rating, from_ratings, from_state
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.item_table import ItemTable, build
from gars.domain.top_k import top_k
from gars.domain.user_state import UserState, fold
from gars.testing.events import event

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


def test_bound_on_a_column_without_values_hides_nothing() -> None:
    bare = build([Anime(anime_id=n, title=str(n)) for n in (1, 2)])
    assert ids(bare, SERVICE_DEFAULTS) == [1, 2]
    some = build([Anime(anime_id=1, title="1", members=900), Anime(anime_id=2, title="2")])
    assert ids(some, SERVICE_DEFAULTS) == [1]


def test_titles_of_the_history_are_hidden_and_their_sequels_are_not(items: ItemTable) -> None:
    assert ids(items, Filters(hide_sequels=True), Rating(1, 9)) == [2, 3, 5]


def test_a_disliked_title_can_hide_its_franchise(items: ItemTable) -> None:
    assert ids(items, Filters(hide_dropped_franchises=True), Rating(1, 2)) == [3, 5]
    assert ids(items, Filters(hide_dropped_franchises=True), Rating(1, 9)) == [2, 3, 5]


def test_an_unknown_genre_is_named_with_the_known_ones(items: ItemTable) -> None:
    with pytest.raises(InvalidInputError, match=r"unknown genre: Akction\n  → known: Action, Drama, Hentai"):
        ids(items, Filters(genres=("Akction",)))


RICH = [
    Anime(anime_id=1, title="One", tags=("Time Travel", "School"), studios=("Bones",), source="Manga", duration_min=24,
          streaming=(Streaming("Here", "https://here.example"),), released=date(2020, 4, 1), franchise="a"),
    Anime(anime_id=2, title="Two", tags=("School",), studios=("Sunrise", "Bones"), source="Original", duration_min=90,
          released=date(2030, 4, 1), franchise="a", prequels=(1,), members=10),
    Anime(anime_id=3, title="One: Recap", franchise="a"),
    Anime(anime_id=4, title="Four", year=2031, prequels=(2,), franchise="a"),
    Anime(anime_id=6, title="Six", franchise="b", members=9000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(tags=("school", "time travel")), [1]),
        (Filters(exclude_tags=("Time Travel", "School")), [3, 4, 6]),
        (Filters(studios=("sunrise", "BONES")), [1, 2]),
        (Filters(sources=("Original",)), [2]),
        (Filters(sites=("here",)), [1]),
        (Filters(duration_max=30), [1]),
        (Filters(duration_min=30), [2]),
        (Filters(max_members=100), [2]),
        (Filters(released_by=date(2026, 1, 1)), [1, 3, 6]),
        (Filters(shown=(1,)), [2, 3, 4, 6]),
        (Filters(shown=(1,), one_per_franchise=True), [6]),
        (Filters(hide_recaps=True), [1, 2, 3, 4, 6]),
    ],
)
def test_filters_by_tags_studios_and_sources(filters: Filters, expected: list[int]) -> None:
    assert ids(build(RICH), filters) == expected


def test_recaps_of_titles_of_the_history_are_hidden() -> None:
    assert ids(build(RICH), Filters(hide_recaps=True), Rating(1, 9)) == [2, 4, 6]
    assert ids(build(RICH), Filters(hide_recaps=True), Rating(6, 9)) == [1, 2, 3, 4]


def test_specials_and_recaps_are_hidden_unless_their_type_is_named() -> None:
    typed = [
        Anime(anime_id=1, title="One", type="TV"),
        Anime(anime_id=2, title="One: Recap", type="Movie"),
        Anime(anime_id=3, title="Beach", type="Special"),
        Anime(anime_id=4, title="Trailer", type="PV"),
    ]
    assert ids(build(typed), Filters(hide_specials=True)) == [1]
    assert ids(build(typed), Filters(hide_specials=True, types=("special",))) == [3]
    assert ids(build(typed), Filters()) == [1, 2, 3, 4]


def test_error_about_an_unknown_tag_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match=r"unknown tag: Schol\n  → known: School, Time Travel"):
        ids(build(RICH), Filters(tags=("Schol",)))
    with pytest.raises(InvalidInputError, match=r"this catalogue knows no streaming site of any anime"):
        ids(build(CATALOGUE), Filters(sites=("Here",)))


def test_error_about_a_long_vocabulary_suggests_similar_words() -> None:
    many = build([Anime(anime_id=n, title=str(n), tags=(f"word {n}",)) for n in range(60)])
    with pytest.raises(InvalidInputError, match=r"did you mean word 1,"):
        ids(many, Filters(exclude_tags=("word 1 ",)))
    with pytest.raises(InvalidInputError, match=r"GET /api/v1/genres lists all of them"):
        ids(many, Filters(tags=("zzzzzzzz",)))


def state(*events: Interaction) -> UserState:
    return fold(UserState(user_id="7"), events)


@pytest.mark.parametrize(
    ("interaction", "sequel_shown"),
    [
        (event("7", 1, Kind.STATUS, Status.COMPLETED), True),
        (event("7", 1, Kind.RATE, 8), True),
        (event("7", 1, Kind.SEEN), True),
        (event("7", 1, Kind.LIKE), True),
        (event("7", 1, Kind.STATUS, Status.WATCHING), False),
        (event("7", 1, Kind.STATUS, Status.ON_HOLD), False),
        (event("7", 1, Kind.STATUS, Status.PLANNED), False),
        (event("7", 1, Kind.DISMISS), False),
        (event("7", 1, Kind.CLICK), False),
    ],
    ids=lambda value: f"{value.kind}-{value.value}" if isinstance(value, Interaction) else "",
)
def test_a_sequel_waits_for_its_prequel_to_be_completed(interaction: Interaction, sequel_shown: bool) -> None:
    items = build(RICH)
    mask = allowed(items, from_state(state(interaction)), Filters(hide_sequels=True))
    assert (2 in items.anime_ids[mask]) is sequel_shown


def story(anime_id: int, year: int | None, *prequels: int, kind: str = "TV", title: str = "") -> Anime:
    return Anime(anime_id=anime_id, title=title or str(anime_id), type=kind, year=year, prequels=prequels)


@pytest.mark.parametrize(
    ("anime", "shown"),
    [
        ([story(1, 2020, 2), story(2, 2021, kind="Movie")], [1, 2]),  # set earlier, made later
        ([story(1, 2020), story(2, 2021, 1)], [1]),
        ([story(1, None, 2), story(2, 2021)], [2]),  # unknown dates: as it is linked
        ([story(1, 2013, 2), story(2, 2012, kind="Special")], [1, 2]),  # not shown itself, so never awaited
        ([story(1, 2013, 2), story(2, 2012, title="One: Recap")], [1, 2]),
        # the prequel of a special or of a later title takes its place
        ([story(1, 2013), story(2, 2014, 1, kind="Special"), story(3, 2015, 2)], [1]),
        ([story(1, 2013), story(2, 2016, 1, kind="OVA"), story(3, 2015, 2)], [1]),
        ([story(1, 2015, 2), story(2, 2016, 3), story(3, 2017, 2)], [1, 2]),  # a circle
    ],
)
def test_a_title_awaits_the_nearest_of_its_prequels_that_was_there_first(anime: list[Anime], shown: list[int]) -> None:
    assert ids(build(anime), Filters(hide_sequels=True)) == shown


def test_nothing_that_continues_a_dropped_title_is_shown() -> None:
    items = build(RICH)
    dropped = from_state(state(event("7", 1, Kind.STATUS, Status.DROPPED)))
    assert items.anime_ids[allowed(items, dropped, Filters(hide_dropped_sequels=True))].tolist() == [3, 6]
    assert items.anime_ids[allowed(items, dropped, Filters())].tolist() == [2, 3, 4, 6]


def test_the_series_of_a_dropped_title_is_hidden() -> None:
    items = build(RICH)
    dropped = from_state(state(event("7", 2, Kind.STATUS, Status.DROPPED)))
    assert items.anime_ids[allowed(items, dropped, Filters(hide_dropped_series=True))].tolist() == [6]
    assert items.anime_ids[allowed(items, dropped, Filters(hide_dropped_sequels=True))].tolist() == [1, 3, 6]


def test_sequels_that_go_round_in_a_circle_end() -> None:
    # 0, 1 and 2 continue each other, 4 continues one of them, 6 continues itself
    found = find_sequels(np.array([2, 0, 1, -1, 1, -1, 6]))
    assert found.of(np.array([0])).tolist() == [1, 2, 4]
    assert found.of(np.array([0, 1])).tolist() == [1, 2, 4, 0, 2, 4]
    assert found.of(np.array([3, 4, 6])).tolist() == []


def test_a_long_series_is_continued_to_its_end() -> None:
    found = find_sequels(np.arange(100) - 1)
    assert found.of(np.array([0])).tolist() == list(range(1, 100))
    assert len(found.rows) == 99 * 100 / 2


def test_words_of_an_anime() -> None:
    items = build(RICH)
    assert items.studios.of(1) == ("Bones", "Sunrise")
    assert items.tags.of(2) == ()


def test_top_k_orders_by_score_then_id_without_infinite_scores() -> None:
    scores = np.array([1, 3, 3, -np.inf, 2], np.float32)
    assert top_k(scores, np.array([50, 40, 30, 20, 10]), 3).tolist() == [2, 1, 4]
    assert top_k(scores, np.array([50, 40, 30, 20, 10]), 1).tolist() == [2]
    assert top_k(scores, np.array([50, 40, 30, 20, 10]), 9).tolist() == [2, 1, 4, 0]
    assert top_k(np.full(4, -np.inf, np.float32), np.arange(4), 2).tolist() == []


def test_collapse_keeps_the_best_of_each_franchise() -> None:
    franchises = np.array([0, 0, 1, 2, 1], np.int32)
    assert collapse(np.array([4, 1, 2, 0, 3]), franchises).tolist() == [True, True, False, False, True]
    assert collapse(np.array([], np.int64), franchises).tolist() == []


@pytest.mark.parametrize("apart", [1, 10**9])
def test_ids_are_looked_up_near_and_far(apart: int) -> None:
    items = build([Anime(anime_id=anime_id * apart, title="x") for anime_id in (0, 3, 4, 9)])
    asked = np.array([9 * apart, 0, -1, 4 * apart, 5, -(2**63), 2**63 - 1, 10 * apart, 3 * apart])
    assert items.rows(asked).tolist() == [3, 0, -1, 2, -1, -1, -1, -1, 1]
    assert items.rows(np.empty(0, np.int64)).tolist() == []
