from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gars.application.events.steady_clock import SteadyClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


def test_readings_never_go_back_and_keep_their_order() -> None:
    hand = HandClock()
    steady = SteadyClock(hand)
    assert steady.now() == steady.now() == NOON
    hand.time = NOON - timedelta(hours=1)
    first, second = steady.now(), steady.now()
    assert NOON < first < second < NOON + timedelta(seconds=1)
    hand.time = NOON + timedelta(seconds=2)
    assert steady.now() == hand.time, "the real time again as soon as it has caught up"


def test_problem_names_a_clock_that_went_back() -> None:
    hand = HandClock()
    steady = SteadyClock(hand)
    hand.time = NOON - timedelta(milliseconds=400)
    assert steady.problem() is None, "clocks are corrected all the time"
    hand.time = NOON - timedelta(hours=1)
    assert steady.problem() == "the clock went back 3600 s: events keep their order, their times stand still"
    hand.time = NOON
    assert steady.problem() is None
