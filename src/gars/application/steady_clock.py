"""A clock that never goes back, whatever the machine's does: what comes later must not seem older."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from gars.application.ports import Clock

_STEP = timedelta(milliseconds=1)
"""How far a reading goes on from the one before while the real clock is behind: the order stays."""
_WORTH_TELLING = timedelta(seconds=1)


class SteadyClock:
    """A ``Clock`` over another one; its readings stand nearly still until a clock that went back has caught up.

    Without it a rating given after the clock was set back would count as older than the one it replaces, and be lost.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latest = clock.now()

    def now(self) -> datetime:
        """The real time, or the latest reading and a millisecond if that is later."""
        real = self._clock.now()
        with self._lock:
            self._latest = real if real >= self._latest else self._latest + _STEP
            return self._latest

    @property
    def behind(self) -> timedelta:
        """How far the real clock is behind the latest reading."""
        return max(timedelta(0), self._latest - self._clock.now())

    def problem(self) -> str | None:
        """What is wrong with the clock, if it is worth telling."""
        behind = self.behind
        if behind < _WORTH_TELLING:
            return None
        return f"the clock went back {behind.total_seconds():.0f} s: events keep their order, their times stand still"
