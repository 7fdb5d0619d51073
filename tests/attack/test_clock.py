"""Clocks that are wrong: a client's by minutes, the service's by years, and one that jumps there and back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from gars.application.events.steady_clock import SteadyClock
from gars.application.impressions.recorder import ImpressionRecorder
from gars.application.trends.trending import Trending
from gars.bootstrap import Service, open_service
from gars.config import from_environment
from gars.domain import user_state
from gars.domain.interaction import Kind, accepted
from gars.domain.user_state import UserState
from gars.entrypoints.api.app import create_app
from gars.runtime.retention import MOST_AT_ONCE, SETTLED_AFTER, Retention
from gars.testing.clock import FakeClock
from gars.testing.contracts.impression_log import impression
from gars.testing.engine import FakeEngine
from gars.testing.events import event
from gars.testing.memory import MemoryEventLog, MemoryImpressionLog

AsUser = Callable[[str], Callable[..., Any]]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AHEAD = timedelta(days=400)


def rating(client: Any, user_id: str, anime_id: int = 1) -> int | None:
    items = client.get(f"/api/v1/users/{user_id}/history").json()["items"]
    found: dict[int, int | None] = {item["anime"]["anime_id"]: item["rating"] for item in items}
    return found.get(anime_id)


def send(client: Any, **fields: Any) -> None:
    answer = client.post("/api/v1/interactions", json={"user_id": "fan", "anime_id": 1, "kind": "rate", **fields})
    assert answer.status_code == 202, answer.text


def test_a_client_that_is_ahead_does_not_hide_what_comes_later(tmp_path: Path) -> None:
    with (
        closing(open_service(from_environment({}, home=tmp_path), FakeEngine())) as service,
        TestClient(create_app(service)) as client,
    ):
        for minutes in (4, 1, 0.01):
            ahead = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
            send(client, value=3, event_time=ahead)
            send(client, value=9)
            assert rating(client, "fan") == 9
            send(client, value=3, event_time=ahead.replace("+00:00", "Z"))
            send(client, undo=True)
            assert rating(client, "fan") is None
        now_ms = round(datetime.now(UTC).timestamp() * 1000)
        assert all(one.time_ms <= now_ms for _, one in service.log.read())
        far = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
        refused = client.post(
            "/api/v1/interactions",
            json={"user_id": "fan", "anime_id": 1, "kind": "rate", "value": 3, "event_time": far},
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_input")


def test_a_retry_of_an_event_that_is_ahead_is_the_same_event(client: Any, as_user: AsUser, guarded: Service) -> None:
    del client
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    body = {"user_id": "fan", "anime_id": 1, "kind": "rate", "value": 3, "event_time": ahead}
    answers = [as_user("fan")("POST", "/api/v1/interactions", json=body).json() for _ in range(2)]
    assert [one["duplicates"] for one in answers] == [0, 1]
    assert len(list(guarded.log.read())) == 1


def test_within_a_batch_the_later_word_counts(tmp_path: Path) -> None:
    """All events of a batch without times have the same time."""
    with (
        closing(open_service(from_environment({}, home=tmp_path), FakeEngine(), clock=FakeClock(NOW))) as service,
        TestClient(create_app(service)) as client,
    ):
        wrong = 0
        for number in range(20):
            words = [
                {"user_id": str(number), "anime_id": 1, "kind": "rate", "value": value, "event_id": f"{number}-{value}"}
                for value in (3, 5, 9)
            ]
            assert client.post("/api/v1/interactions", json={"events": words}).status_code == 202
            wrong += rating(client, str(number)) != 9
        print(f"{wrong} of 20 users have an earlier rating")
        assert wrong == 0


def test_a_service_that_was_400_days_ahead(tmp_path: Path) -> None:
    settings = from_environment({}, home=tmp_path)
    with (
        closing(open_service(settings, FakeEngine(), clock=FakeClock(NOW + AHEAD))) as service,
        TestClient(create_app(service)) as client,
    ):
        send(client, value=3)
        send(client, anime_id=5, kind="status", value="dropped")
        for anime_id in (1, 5):
            send(client, anime_id=anime_id, kind="click")
        assert service.clock.problem() is None
    for restart in range(2):
        clock = FakeClock(NOW + timedelta(minutes=restart))
        with (
            closing(open_service(settings, FakeEngine(), clock=clock)) as service,
            TestClient(create_app(service)) as client,
        ):
            warning = client.get("/api/v1/health/ready").json()["warnings"]["clock"]
            assert warning.startswith("the newest event has a time 400 days ahead of this clock")
            send(client, value=9 - restart)
            assert rating(client, "fan") == 9 - restart
            imported = client.post("/api/v1/lists/import?user_id=fan", content=b"anime_id,status\n5,completed\n")
            assert imported.json()["taken"] == 1 - restart
            send(client, anime_id=1535, kind="click")
            state = service.states.get("fan")
            assert state is not None
            assert state.clicks[0].anime_id == 1535
            assert sorted(click.anime_id for click in state.clicks[-2:]) == [1, 5], "no click is lost"
            assert max(service.trending.heat().values()) < 100
            clock.advance(timedelta(seconds=1))
            send(client, undo=True)
            assert rating(client, "fan") is None
            send(client, value=9 - restart)
            live = service.states.get("fan")
            assert live == user_state.fold(
                UserState(user_id="fan"), [one for _, one in service.stores.history.read_user("fan")]
            )


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=2), timedelta(days=400)])
def test_an_event_of_now_replaces_what_is_ahead_of_it(late: timedelta) -> None:
    """What is of the past keeps its place."""
    held = accepted(event(kind=Kind.RATE, value=3, at=NOW + late), NOW + late)
    state = user_state.apply(UserState(user_id="7"), held)
    now = accepted(event(kind=Kind.RATE, value=9, at=NOW), NOW)
    after = user_state.apply(state, now).opinions[1].rating
    assert after is not None
    assert after.value == 9
    old = accepted(event(kind=Kind.RATE, value=5, at=NOW - timedelta(days=1)), NOW)
    kept = user_state.apply(user_state.apply(state, now), old).opinions[1].rating
    assert kept is not None
    assert kept.value == 9


def test_trends_of_a_clock_that_was_ahead_do_not_stay_on_top() -> None:
    log = MemoryEventLog()
    log.append([accepted(event(user, 1, at=NOW + AHEAD), NOW + AHEAD) for user in "abc"])
    log.append([accepted(event(user, 5, at=NOW), NOW) for user in "abcd"])
    trends = Trending(log, FakeClock(NOW))
    assert trends.ids() == [5, 1]


class Timer:
    """A monotonic timer that moves only when advanced."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, clock: FakeClock, by: timedelta) -> None:
        clock.advance(by)
        self.seconds += by.total_seconds()


def recorder_over(log: MemoryImpressionLog, clock: FakeClock, timer: Timer, **known: Any) -> ImpressionRecorder:
    recorder = ImpressionRecorder(log, clock, **known)
    recorder._retention = Retention(timedelta(days=90), elapsed_s=timer, **known)
    return recorder


def test_100_days_ahead_for_two_seconds_delete_nothing() -> None:
    log, clock, timer = MemoryImpressionLog(), FakeClock(NOW), Timer()
    with closing(recorder_over(log, clock, timer)) as recorder:
        for number in range(1000):
            recorder.record(impression(str(number), at=clock.now()))
        recorder.flush()
        for way in (1, -1):
            clock.advance(way * timedelta(days=100))
            timer.advance(clock, timedelta(seconds=2))
            recorder.record(impression(f"jumped {way}", at=clock.now()))
            recorder.flush()
        timer.advance(clock, 2 * SETTLED_AFTER)
        recorder.record(impression("settled", at=clock.now()))
        recorder.flush()
    print(f"{len(log.impressions)} of 1003 impressions left")
    assert len(log.impressions) == 1003


def test_a_service_that_starts_with_a_clock_that_is_ahead_deletes_nothing() -> None:
    log, clock, timer = MemoryImpressionLog(), FakeClock(NOW + AHEAD), Timer()
    log.append([impression(str(number), at=NOW) for number in range(1000)])
    with closing(recorder_over(log, clock, timer, known=NOW)) as recorder:
        recorder.record(impression("first", at=clock.now()))
        recorder.flush()
        assert len(log.impressions) == 1001


def test_a_run_deletes_a_day_at_most_and_the_next_ones_go_on() -> None:
    """A service that was off for long: what is old by a clock that has settled goes bit by bit."""
    log, clock, timer = MemoryImpressionLog(), FakeClock(NOW + AHEAD), Timer()
    log.append([impression(str(hour), at=NOW + timedelta(hours=hour)) for hour in range(10 * 24)])
    with closing(recorder_over(log, clock, timer, known=NOW)) as recorder:
        left = [len(log.impressions)]
        for number in range(14):
            timer.advance(clock, timedelta(hours=1, seconds=1))
            recorder.record(impression(f"new {number}", at=clock.now()))
            recorder.flush()
            left.append(len(log.impressions))
    print(f"left after each run: {left}")
    gone = [before + 1 - after for before, after in pairwise(left)]
    assert max(gone) == MOST_AT_ONCE / timedelta(hours=1)
    assert {one.request_id for one in log.impressions} == {f"new {number}" for number in range(14)}


def test_what_a_jump_is_called() -> None:
    clock, timer = FakeClock(NOW), Timer()
    steady = SteadyClock(clock, elapsed_s=timer)
    timer.advance(clock, timedelta(days=30))
    assert (steady.now(), steady.problem()) == (NOW + timedelta(days=30), None)
    clock.advance(timedelta(days=100))
    assert (steady.problem() or "").startswith("the clock jumped ahead by 100 days")
    clock.advance(timedelta(days=-100))
    assert (steady.problem() or "").startswith("the clock jumped back by 100 days")
    assert steady.now() == NOW + timedelta(days=30), "a clock that went far back is followed"
    timer.advance(clock, timedelta(days=2))
    assert steady.problem() is None
