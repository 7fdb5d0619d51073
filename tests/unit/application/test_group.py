import numpy as np
import pytest

from gars.application.catalogue.catalogue import Catalogue
from gars.application.recommend.group import MISERY, Joy, Member, RecommendToGroup
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError, UnknownUserError
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import UserState, fold
from gars.testing.clock import FakeClock
from gars.testing.engine import FakeEngine
from gars.testing.events import event
from gars.testing.memory import MemoryStateStore

LOOSE = Filters(adult=False)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def states() -> MemoryStateStore:
    return MemoryStateStore()


@pytest.fixture
def group(engine: FakeEngine, states: MemoryStateStore) -> RecommendToGroup:
    return RecommendToGroup(engine=engine, catalogue=Catalogue(engine.anime), states=states, clock=FakeClock())


@pytest.fixture(autouse=True)
def members(states: MemoryStateStore) -> None:
    """Two users who exist and have no titles."""
    states.put([UserState(user_id="a"), UserState(user_id="b")])


def say(states: MemoryStateStore, user_id: str, *events: Interaction) -> None:
    states.put([fold(UserState(user_id=user_id), events)])


def ids(found: list[Joy]) -> list[int]:
    return [one.anime_id for one in found]


def test_the_score_is_the_weighted_mean_of_the_joys(group: RecommendToGroup, states: MemoryStateStore) -> None:
    say(states, "a", event("a", 5114, Kind.RATE, 9))
    say(states, "b", event("b", 1535, Kind.RATE, 9))
    found = group([Member("a", 3), Member("b", 1)], k=10, filters=LOOSE)
    assert len(found) == 10
    for one in found:
        assert one.score == pytest.approx((3 * one.joys["a"] + one.joys["b"]) / 4)
        assert one.least == min(one.joys.values())
    happy = [one.score for one in found if one.least >= MISERY]
    assert happy == sorted(happy, reverse=True)


def test_titles_of_any_member_are_left_out(group: RecommendToGroup, states: MemoryStateStore) -> None:
    everything = ids(group([Member("a"), Member("b")], k=20, filters=LOOSE))
    say(states, "b", *(event("b", anime_id, Kind.SEEN) for anime_id in everything[:5]))
    assert not set(everything[:5]) & set(ids(group([Member("a"), Member("b")], k=50, filters=LOOSE)))


def test_what_makes_one_miserable_comes_last(
    group: RecommendToGroup, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = ids(group([Member("a"), Member("b")], k=5, filters=LOOSE))[0]
    chances = iter([np.float32(0.99), np.float32(0.2)])

    def torn(_history: object, anime_ids: np.ndarray) -> np.ndarray:
        return np.where(anime_ids == best, next(chances), 0.5).astype(np.float32)

    monkeypatch.setattr(engine, "like_chances", torn)
    found = group([Member("a"), Member("b")], k=len(engine.anime), filters=LOOSE)
    assert found[-1].anime_id == best
    assert found[-1].score > found[0].score  # its mean is the best of all


def test_sequel_is_hidden_until_all_members_have_begun(group: RecommendToGroup, states: MemoryStateStore) -> None:
    say(states, "a", event("a", 1, Kind.STATUS, Status.COMPLETED))
    alone = ids(group([Member("a")], k=100, filters=Filters(hide_sequels=True)))
    together = ids(group([Member("a"), Member("b")], k=100, filters=Filters(hide_sequels=True)))
    assert 5 in alone
    assert 5 not in together


def test_one_of_each_franchise(group: RecommendToGroup, engine: FakeEngine) -> None:
    franchises = {entry.anime_id: entry.franchise for entry in engine.anime}
    shown = [franchises[anime_id] for anime_id in ids(group([Member("a"), Member("b")], filters=SERVICE_DEFAULTS))]
    assert len(shown) == len(set(shown)) == 20


def test_a_member_who_does_not_exist_is_an_error(group: RecommendToGroup) -> None:
    with pytest.raises(UnknownUserError, match="no such user: unknown-user"):
        group([Member("a"), Member("unknown-user")])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "a group has 1 to 20 members, got 0\n  → name who watches"),
        ([Member(str(n)) for n in range(21)], "a group has 1 to 20 members, got 21"),
        ([Member("a"), Member("a")], "in the group twice: a\n  → name each once"),
        ([Member("a", 0)], "the weight of a is not above 0 and at most 100"),
        ([Member("a", float("nan"))], "the weight of a is not above 0 and at most 100"),
    ],
)
def test_groups_that_are_none(group: RecommendToGroup, members: list[Member], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        group(members)
