"""Trends from counters that another process maintains; read periodically, not for every request."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from gars.application.ports import Clock, TrendCounters
from gars.domain import trending
from gars.domain.errors import StorageError

logger = logging.getLogger(__name__)

_EVERY = timedelta(seconds=5)
_ALL_EVERY = timedelta(minutes=5)
_OPEN = 4
"""Number of newest buckets, which events, also late ones, still change."""


class CountedTrends:
    """``Trends`` from ``TrendCounters``. Thread-safe: one thread reads the counters, the others use the last result."""

    def __init__(self, counters: TrendCounters, clock: Clock) -> None:
        self._counters = counters
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[int, dict[int, float]] = {}
        self._read: datetime | None = None
        self._read_all: datetime | None = None

    def heat(self) -> dict[int, float]:
        """Return anime → decayed weight; while the counters cannot be read, by the last values read."""
        if self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return trending.heat(self._buckets, _ms(self._clock.now()))

    def ids(self) -> list[int]:
        """Return the ids of trending anime, largest weight first."""
        return list(trending.trends(self.heat()))

    def forget(self, user_id: str) -> None:
        """Do nothing: the counters hold no user ids."""

    def _refresh(self) -> None:
        now = self._clock.now()
        if self._read is not None and timedelta(0) <= now - self._read < _EVERY:
            return
        newest = trending.bucket(_ms(now)) + 1  # clocks of clients may be ahead
        everything = self._read_all is None or not timedelta(0) <= now - self._read_all < _ALL_EVERY
        wanted = range(newest - (trending.BUCKETS if everything else _OPEN) + 1, newest + 1)
        self._read = now
        try:
            found = self._counters.read(wanted)
        except StorageError as error:
            logger.warning("trending is not up to date: %s", error.message)
            return
        if everything:
            self._read_all = now
        kept = {} if everything else {where: one for where, one in self._buckets.items() if where not in wanted}
        self._buckets = kept | found


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)
