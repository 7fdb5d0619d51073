"""Trending counted by bucket: the arithmetic of the domain, and the reader of counters kept elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given

from gars.application.trends.counted_trends import CountedTrends
from gars.domain import trending, user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction, Kind, Status
from gars.domain.user_state import UserState
from gars.testing.clock import FakeClock
from gars.testing.events import START, event, event_lists

_START_MS = round(START.timestamp() * 1000)


def _counted(events: Sequence[Interaction]) -> dict[int, dict[int, float]]:
    states: dict[str, UserState] = {}
    counters: defaultdict[int, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    for one in events:
        before = states.get(one.user_id) or UserState(user_id=one.user_id)
        after = states[one.user_id] = user_state.apply(before, one)
        for bucket, by in trending.moves(before, after, one.anime_id).items():
            counters[bucket][one.anime_id] += by
    return {bucket: dict(weights) for bucket, weights in counters.items()}


def test_of_a_user_and_an_anime_the_strongest_counts() -> None:
    events = [event(kind=Kind.CLICK), event(kind=Kind.LIKE), event(kind=Kind.CLICK), event(kind=Kind.RATE, value=9)]
    assert _counted([*events, event("8")]) == {trending.bucket(_START_MS): {1: 3.0}}


@pytest.mark.parametrize(
    "interaction",
    [
        event(kind=Kind.RATE, value=4),
        event(kind=Kind.STATUS, value=Status.DROPPED),
        event(kind=Kind.DISLIKE),
        event(kind=Kind.SEEN),
        event(kind=Kind.DISMISS),
    ],
)
def test_events_without_weight(interaction: Interaction) -> None:
    assert _counted([interaction]) == {}
    assert trending.weight(interaction) == 0


def test_taken_back_it_does_not_count() -> None:
    counted = _counted([event(kind=Kind.LIKE), event(kind=Kind.LIKE, undo=True, at=START + timedelta(seconds=1))])
    assert sum(weight for weights in counted.values() for weight in weights.values()) == 0


def test_repeated_event_counts_once() -> None:
    once = event(event_id="same")
    assert _counted([once, once]) == _counted([once])


@given(event_lists())
def test_counters_match_the_states(events: list[Interaction]) -> None:
    """Whatever came in whatever order, the counters are the sum of what each state says now."""
    states: dict[str, UserState] = {}
    for one in events:
        states[one.user_id] = user_state.apply(states.get(one.user_id) or UserState(user_id=one.user_id), one)
    wanted: defaultdict[tuple[int, int], float] = defaultdict(float)
    for state in states.values():
        for anime_id in {*state.opinions, *(click.anime_id for click in state.clicks)}:
            for bucket, weight in trending.moves(UserState(user_id=state.user_id), state, anime_id).items():
                wanted[bucket, anime_id] += weight
    counted = {(b, a): weight for b, weights in _counted(events).items() for a, weight in weights.items() if weight}
    assert counted == dict(wanted)


def test_heat_halves_and_ends() -> None:
    bucket = trending.bucket(_START_MS)
    middle = round((bucket + 0.5) * trending.BUCKET_MS)
    half_life_ms = round(trending.HALF_LIFE.total_seconds() * 1000)
    assert trending.heat({bucket: {1: 4.0}}, middle + half_life_ms) == {1: 2.0}
    assert trending.heat({bucket: {1: 4.0}}, middle - half_life_ms) == {1: 4.0}
    assert trending.heat({bucket: {1: 1.0}}, middle + 13 * half_life_ms) == {}


class _Counters:
    def __init__(self) -> None:
        self.buckets: dict[int, dict[int, float]] = {}
        self.reads: list[int] = []
        self.broken = False

    def read(self, buckets: Sequence[int]) -> dict[int, dict[int, float]]:
        self.reads.append(len(buckets))
        if self.broken:
            raise StorageError("away")
        return {bucket: self.buckets[bucket] for bucket in buckets if bucket in self.buckets}

    def close(self) -> None: ...


def test_counters_are_read_now_and_then() -> None:
    counters, clock = _Counters(), FakeClock()
    now = trending.bucket(round(clock.now().timestamp() * 1000))
    counters.buckets = {now: {1: 4.0, 5: 9.0}, now - 20: {7: 100.0}}
    trends = CountedTrends(counters, clock)
    assert trends.ids() == [7, 5, 1]
    trends.heat()
    assert counters.reads == [trending.BUCKETS]
    counters.buckets[now] = {1: 9.0}
    clock.advance(timedelta(seconds=6))
    assert trends.ids() == [7, 1]
    assert counters.reads == [trending.BUCKETS, 4]


def test_counters_that_are_away_leave_what_was_read(caplog: pytest.LogCaptureFixture) -> None:
    counters, clock = _Counters(), FakeClock()
    counters.buckets = {trending.bucket(round(clock.now().timestamp() * 1000)): {1: 4.0}}
    trends = CountedTrends(counters, clock)
    assert trends.ids() == [1]
    counters.broken = True
    clock.advance(timedelta(seconds=6))
    assert trends.ids() == [1]
    assert "trending is not up to date: away" in caplog.text
