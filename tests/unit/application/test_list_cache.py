"""A list out of the cache is the list that would be made, and a click changes it at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from gars.application.recommend.engine import Recommendation
from gars.application.recommend.list_cache import LISTS_PER_USER, CachedList, CacheKey, ListCache, cache_key
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.recommend import Recommend
from gars.domain import user_state
from gars.domain.candidates import Filters
from gars.domain.history import History
from gars.domain.user_state import Row, UserState, initial
from gars.testing.clock import FakeClock
from gars.testing.engine import FakeEngine
from gars.testing.events import clicks
from gars.testing.memory import MemoryStateStore

MADE = CacheKey(1, "e1", True, "m1")
ASKED = ListRequest(k=5, filters=Filters())
LIST = CachedList(False, [Recommendation(1, 0.5, 0.5, ("x",), ())])


class CountingEngine(FakeEngine):
    """Says how often it was asked."""

    asked = 0

    def recommend_history(self, history: History, request: ListRequest) -> list[Recommendation]:
        self.asked += 1
        return super().recommend_history(history, request)


class World:
    def __init__(self, most_users: int = 10) -> None:
        self.engine, self.states, self.clock = CountingEngine(), MemoryStateStore(), FakeClock()
        self.lists = ListCache(most_users)
        self.cached = self.recommend(self.lists)
        self.fresh = self.recommend(None)

    def recommend(self, lists: ListCache | None) -> Recommend:
        return Recommend(engine=self.engine, states=self.states, clock=self.clock, lists=lists)

    def see(self, user_id: str, events: Sequence[int]) -> None:
        state = self.states.get(user_id) or UserState(user_id=user_id)
        seen = [
            msgspec.structs.replace(one, event_id=f"{user_id}:{one.anime_id}")
            for one in clicks(len(events), user_id=user_id, anime_ids=events)
        ]
        self.states.put([user_state.fold(state, seen)])


def test_the_second_time_nothing_is_made_and_the_list_is_the_same() -> None:
    world = World()
    world.see("7", [1, 5])
    first, before = world.cached(ListRequest(user_id="7", k=5)), world.engine.asked
    assert world.cached(ListRequest(user_id="7", k=5)) == first
    assert world.engine.asked == before
    assert world.fresh(ListRequest(user_id="7", k=5)) == first


@pytest.mark.parametrize("asked", [{"k": 3}, {"offset": 2}, {"filters": Filters(exclude_ids=(5114,))}])
def test_another_question_is_another_list(asked: dict[str, object]) -> None:
    world = World()
    world.see("7", [1])
    world.cached(ListRequest(user_id="7", k=5, filters=Filters()))
    other = {"k": 5, "filters": Filters(), **asked}
    assert world.cached(ListRequest(user_id="7", **other)) == world.fresh(ListRequest(user_id="7", **other))  # type: ignore[arg-type]


def test_a_click_changes_the_list_at_once() -> None:
    world = World()
    world.see("7", [1])
    before = world.cached(ListRequest(user_id="7", k=5))
    world.see("7", [5114])
    after = world.cached(ListRequest(user_id="7", k=5))
    assert after.version == before.version + 1
    assert after == world.fresh(ListRequest(user_id="7", k=5))


def test_another_model_and_another_day_make_it_anew() -> None:
    world = World()
    world.cached(ListRequest(user_id="7", k=5))
    world.clock.advance(timedelta(days=1))
    world.cached(ListRequest(user_id="7", k=5))
    assert world.engine.asked == 2
    assert cache_key(None, "m1") != cache_key(None, "m2")


def test_deleted_user_who_returns_starts_anew() -> None:
    history = initial("7", [Row(1, 9)])
    assert cache_key(history, "m") != cache_key(None, "m")
    [once], [again] = clicks(1, anime_ids=[1]), clicks(1, anime_ids=[5])
    again = msgspec.structs.replace(again, event_id="another")
    empty = UserState(user_id="7")
    assert cache_key(user_state.apply(empty, once), "m") != cache_key(user_state.apply(empty, again), "m")


def test_a_fallback_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.see("7", [1])

    def broken(*_: object, **__: object) -> list[Recommendation]:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(world.engine, "recommend_history", broken)
        assert world.cached(ListRequest(user_id="7", k=5)).fallback is not None
    assert world.cached(ListRequest(user_id="7", k=5)).fallback is None


def test_the_cache_is_bounded_and_who_asked_last_stays() -> None:
    cache = ListCache(2)
    for user in ("a", "b"):
        cache.put(user, MADE, ASKED, LIST, moment=cache.moment)
    assert cache.get("a", MADE, ASKED) == LIST
    cache.put("c", MADE, ASKED, LIST, moment=cache.moment)
    assert [cache.get(user, MADE, ASKED) for user in ("a", "b", "c")] == [LIST, None, LIST]
    for k in range(LISTS_PER_USER + 1):
        cache.put("a", MADE, ListRequest(k=k, filters=Filters()), LIST, moment=cache.moment)
    assert cache.get("a", MADE, ListRequest(k=0, filters=Filters())) is None
    assert cache.get("a", MADE, ListRequest(k=LISTS_PER_USER, filters=Filters())) == LIST
    assert len(cache) == 2


def test_none_are_kept_where_none_are_wanted() -> None:
    cache = ListCache(0)
    cache.put("a", MADE, ASKED, LIST, moment=cache.moment)
    assert len(cache) == 0


def test_nothing_is_left_of_a_deleted_user() -> None:
    cache = ListCache(2)
    cache.put("a", MADE, ASKED, LIST, moment=cache.moment)
    began = cache.moment  # a request that is under way
    cache.forget("a")
    cache.put("a", MADE, ASKED, LIST, moment=began)
    assert cache.get("a", MADE, ASKED) is None
    assert len(cache) == 0
