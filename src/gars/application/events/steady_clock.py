"""A clock that tolerates small steps back of the machine's clock and reports large jumps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from gars.application.ports import Clock
from gars.domain.interaction import MAX_CLOCK_SKEW

_STEP = timedelta(milliseconds=1)
"""Increment of the readings while the real clock is behind, which keeps their order."""
_WORTH_REPORTING = timedelta(seconds=1)
_MOST_BEHIND = timedelta(hours=6)
"""Larger steps back are followed: times that stand still for longer are worse than a broken order, and an event of now
replaces values of a later time anyway (``domain.user_state``)."""
_JUMP = timedelta(hours=12)
"""Minimum jump ahead of the elapsed time that is reported; a machine that slept looks the same."""
_REPORTED_FOR_S = 24 * 3600.0


class SteadyClock:
    """A ``Clock`` over another one; after a step back its readings advance 1 ms a call until that one has caught up.

    Args:
        elapsed_s: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Clock, *, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._elapsed_s = elapsed_s
        self._lock = threading.Lock()
        self._latest = self._real = clock.now()
        self._real_s = elapsed_s()
        self._jump: tuple[float, timedelta] | None = None
        """Time of the jump, in seconds of ``elapsed_s``, and its size."""
        self._known: datetime | None = None

    def now(self) -> datetime:
        """Return the real time, or the latest reading and a millisecond if that is a little later."""
        real = self._clock.now()
        with self._lock:
            self._look(real)
            is_behind = timedelta(0) < self._latest - real <= _MOST_BEHIND
            self._latest = self._latest + _STEP if is_behind else real
            return self._latest

    @property
    def behind(self) -> timedelta:
        """Lag of the real clock behind the latest reading."""
        return max(timedelta(0), self._latest - self._clock.now())

    def compare(self, known: datetime | None) -> None:
        """Set the newest time in the stores: a clock behind it is wrong now, or was wrong when it was stored."""
        self._known = known

    def problem(self) -> str | None:
        """Return a description of a fault of the clock, ``None`` if there is none worth reporting."""
        real = self._clock.now()
        with self._lock:
            self._look(real)
            behind = self._latest - real
            jump = self._jump
        if jump is not None and self._elapsed_s() - jump[0] < _REPORTED_FOR_S:
            way = "ahead" if jump[1] > timedelta(0) else "back"
            return (
                f"the clock jumped {way} by {_worded(abs(jump[1]))}, or the machine slept: "
                "events count in the order they come; nothing is deleted for its age until the clock has settled"
            )
        if self._known is not None and self._known > real + MAX_CLOCK_SKEW:
            return (
                f"the newest event has a time {_worded(self._known - real)} ahead of this clock, which is wrong or was "
                "wrong then: new events replace what was written ahead of time"
            )
        if behind >= _WORTH_REPORTING:
            return (
                f"the clock went back {behind.total_seconds():.0f} s: events keep their order, their times stand still"
            )
        return None

    def _look(self, real: datetime) -> None:
        """Compare the advance of the clock with the elapsed time."""
        elapsed_s = self._elapsed_s()
        went = real - self._real - timedelta(seconds=elapsed_s - self._real_s)
        if went > _JUMP or went < -_MOST_BEHIND - _WORTH_REPORTING:
            self._jump = elapsed_s, went
        self._real, self._real_s = real, elapsed_s


def _worded(time: timedelta) -> str:
    return f"{time / timedelta(days=1):.0f} days" if time.days >= 2 else f"{time.total_seconds():.0f} s"
