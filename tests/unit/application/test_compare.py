import numpy as np
import pytest

from gars.application.recommend.compare import ComparedTitle, CompareUsers
from gars.domain.errors import UnknownUserError
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import UserState, fold
from gars.testing.engine import FakeEngine
from gars.testing.events import event
from gars.testing.memory import MemoryStateStore


@pytest.fixture
def states() -> MemoryStateStore:
    return MemoryStateStore()


@pytest.fixture
def compare(states: MemoryStateStore, monkeypatch: pytest.MonkeyPatch) -> CompareUsers:
    engine = FakeEngine()
    monkeypatch.setattr(engine, "like_chances", lambda _history, ids: np.full(len(ids), 0.5, np.float32))
    return CompareUsers(engine=engine, states=states)


def say(states: MemoryStateStore, user_id: str, *events: Interaction) -> None:
    states.put([fold(UserState(user_id=user_id), events)])


def test_match_is_the_mean_probability_of_agreement(compare: CompareUsers, states: MemoryStateStore) -> None:
    say(states, "a", event("a", 1, Kind.RATE, 9), event("a", 5, Kind.RATE, 3), event("a", 20, Kind.RATE, 9))
    say(states, "b", event("b", 1, Kind.RATE, 10), event("b", 5, Kind.RATE, 8), event("b", 30, Kind.RATE, 8))
    found = compare("a", "b")
    # agreed on 1, not on 5; of 20 and 30 one of the two is a prediction of 0.5
    assert found.match == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    # a likes (1 + 0 + 1 + 0.5) / 4, b likes (1 + 1 + 0.5 + 1) / 4 of the four titles
    assert found.by_chance == pytest.approx(0.625 * 0.875 + 0.375 * 0.125)
    assert (found.titles, found.shared, found.rated, found.agreed) == (4, 2, 2, 1)
    assert found.both_love == (ComparedTitle(1, 9, 10),)
    assert found.differ == (ComparedTitle(5, 3, 8),)
    swapped = compare("b", "a")
    assert swapped.match == pytest.approx(found.match)
    assert swapped.differ == (ComparedTitle(5, 8, 3),)


def test_a_like_counts_as_liked_and_a_dropped_title_as_not(compare: CompareUsers, states: MemoryStateStore) -> None:
    say(states, "a", event("a", 1, Kind.LIKE), event("a", 5, Kind.STATUS, Status.DROPPED))
    say(states, "b", event("b", 1, Kind.RATE, 8), event("b", 5, Kind.RATE, 2))
    found = compare("a", "b")
    assert found.match == 1
    assert found.both_love == (ComparedTitle(1, None, 8),)


def test_plans_and_hidden_titles_are_not_compared(compare: CompareUsers, states: MemoryStateStore) -> None:
    say(states, "a", event("a", 1, Kind.STATUS, Status.PLANNED), event("a", 5, Kind.DISMISS))
    say(states, "b", event("b", 1, Kind.RATE, 8))
    found = compare("a", "b")
    assert (found.match, found.by_chance, found.titles, found.shared) == (None, None, 0, 0)


def test_titles_the_model_does_not_know_are_left_out(states: MemoryStateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    monkeypatch.setattr(
        engine, "like_chances", lambda _history, ids: np.where(ids == 20, np.nan, 0.5).astype(np.float32)
    )
    say(states, "a", event("a", 1, Kind.RATE, 9), event("a", 20, Kind.RATE, 9))
    say(states, "b", event("b", 1, Kind.RATE, 9))
    found = CompareUsers(engine=engine, states=states)("a", "b")
    assert (found.match, found.titles) == (1, 1)


def test_an_unknown_user_is_an_error(compare: CompareUsers, states: MemoryStateStore) -> None:
    say(states, "a", event("a", 1, Kind.RATE, 9))
    with pytest.raises(UnknownUserError, match="no such user: unknown-user"):
        compare("a", "unknown-user")
    with pytest.raises(UnknownUserError, match="no such user: x, y"):
        compare("x", "y")
