"""A clock that moves only when a test advances it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A ``Clock`` for tests; it can also move back, as system clocks do."""

    def __init__(self, now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the time it is set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward by an interval, or back by a negative one."""
        self._now += by
