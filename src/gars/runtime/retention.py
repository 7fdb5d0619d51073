"""Cutoff time for the deletion of old records, protected against clock jumps and bulk deletion.

A monotonic clock measures the elapsed time. If the machine's clock disagrees with it, that clock was set or the machine
slept: records that are old by it are deleted only after it has run steadily for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

JUMP = timedelta(days=2)
"""A clock that moves further than the time that has passed has jumped."""
SETTLED_AFTER = timedelta(hours=1)
"""Time that a clock must run steadily after a jump."""
MOST_AT_ONCE = timedelta(days=1)
"""Maximum age difference between the oldest record and the newest one deleted in a run."""


class Retention:
    """Retention of records for ``keep``. One thread at a time.

    Args:
        known: the newest time in the stores at start; a clock far away from it has to settle first.
        elapsed_s: a monotonic clock, in seconds.
    """

    def __init__(
        self, keep: timedelta, *, known: datetime | None = None, elapsed_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep = keep
        self._elapsed_s = elapsed_s
        self._latest = known
        self._latest_s = elapsed_s()
        self._jumped_s: float | None = None

    def cutoff(self, now: datetime, oldest: datetime) -> datetime | None:
        """Return the time before which records may be deleted now, ``None`` for nothing.

        Args:
            now: by the machine's clock.
            oldest: time of the oldest record.
        """
        self._look(now)
        if self._jumped_s is not None:
            if self._elapsed_s() - self._jumped_s < SETTLED_AFTER.total_seconds():
                return None
            self._jumped_s = None
        before = now - self._keep
        # an oldest record of a clock that was ahead bounds nothing, and keeps nothing alive either
        return min(before, oldest + MOST_AT_ONCE)

    def _look(self, now: datetime) -> None:
        elapsed_s = self._elapsed_s()
        if self._latest is not None:
            expected = self._latest + timedelta(seconds=elapsed_s - self._latest_s)
            if abs(now - expected) > JUMP:
                self._jumped_s = elapsed_s
        self._latest, self._latest_s = now, elapsed_s
