"""Trending titles: decayed counts of the events of each anime, with a half-life in event time."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from itertools import islice

from gars.application.ports import Clock, EventLog
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction
from gars.domain.trending import FORGOTTEN_AFTER, HALF_LIFE, trends, weight

logger = logging.getLogger(__name__)

_MAX_PAIRS = 1_000_000
_AT_ONCE_S = 0.02
"""Seconds that a start waits for the first count."""
_PAGE = 1000
"""Events counted while readers wait."""


class Trending:
    """Decayed counts by anime, updated from the event log at every read. Thread-safe.

    The first count can run in a thread (``start``); reads do not wait for it.

    Of each user and anime only the event of largest weight counts, so that one user cannot make a trend. Counts are
    stored relative to a landmark time, to which every event's weight is scaled ("forward decay", Cormode et al., ICDE
    2009), so that they need no update as time passes.
    """

    def __init__(self, log: EventLog, clock: Clock, *, half_life: timedelta = HALF_LIFE) -> None:
        self._log = log
        self._clock = clock
        self._half_life = half_life
        self._landmark = clock.now()
        self._offset = 0
        self._pairs: dict[tuple[str, int], float] = {}
        self._sums: dict[int, float] = {}
        self._lock = threading.Lock()
        self._first: threading.Thread | None = None
        self._closed = threading.Event()

    def start(self) -> None:
        """Count the events of the log in a thread; a short log is counted when this returns."""
        self._first = threading.Thread(target=self.refresh, name="gars-trends", daemon=True)
        self._first.start()
        self._first.join(_AT_ONCE_S)

    def close(self) -> None:
        """End the first count; call it before the log is closed."""
        self._closed.set()
        if self._first is not None:
            self._first.join()

    @property
    def problem(self) -> str | None:
        """Progress of the first count; ``None`` once it has ended."""
        is_counting = self._first is not None and self._first.is_alive()
        return f"still being counted, up to offset {self._offset:,} of the event log" if is_counting else None

    def refresh(self) -> None:
        """Count new events of the log; keeps the current counts while the log cannot be read."""
        if self.problem is not None and threading.current_thread() is not self._first:
            return  # the first count goes on in its thread
        try:
            while not self._closed.is_set() and self._count_page():
                pass
        except StorageError as error:
            logger.warning("trending is not up to date: %s", error.message)
        with self._lock:
            if len(self._pairs) > _MAX_PAIRS:
                self._drop_old()

    def forget(self, user_id: str) -> None:
        """Remove a user's contributions."""
        with self._lock:
            for pair in [pair for pair in self._pairs if pair[0] == user_id]:
                self._set(pair, 0.0)

    def heat(self) -> dict[int, float]:
        """Return anime → decayed count as of now, without those below the threshold."""
        self.refresh()
        now = self._scale(self._clock.now())
        oldest = 2.0**-FORGOTTEN_AFTER
        with self._lock:
            return {anime_id: heat for anime_id, total in self._sums.items() if (heat := total / now) >= oldest}

    def ids(self) -> list[int]:
        """Return the ids of trending anime, largest weight first."""
        return list(trends(self.heat()))

    def _count_page(self) -> bool:
        """Count the next events of the log. → whether there may be more

        The log is read under the lock, so that no event of a user who is forgotten in between is counted.
        """
        with self._lock:
            now = self._clock.now()
            page = list(islice(self._log.read(after=self._offset), _PAGE))
            for offset, event in page:
                self._count(event, now)
                self._offset = offset
        return len(page) == _PAGE

    def _count(self, event: Interaction, now: datetime) -> None:
        """Count an event; one with a time in the future counts as of now."""
        pair = event.user_id, event.anime_id
        if event.undo:
            self._set(pair, 0.0)
        elif strength := weight(event):
            self._set(pair, max(self._pairs.get(pair, 0.0), strength * self._scale(min(event.event_time, now))))

    def _set(self, pair: tuple[str, int], share: float) -> None:
        before = self._pairs.pop(pair, 0.0)
        if share:
            self._pairs[pair] = share
        _, anime_id = pair
        self._sums[anime_id] = self._sums.get(anime_id, 0.0) + share - before

    def _scale(self, time: datetime) -> float:
        """Return the scale of an event of weight 1 at the landmark; extreme times are clipped."""
        return float(2.0 ** min(1000.0, max(-1000.0, (time - self._landmark) / self._half_life)))

    def _drop_old(self) -> None:
        oldest = self._scale(self._clock.now()) * 2.0**-FORGOTTEN_AFTER
        self._pairs = {pair: share for pair, share in self._pairs.items() if share >= oldest}
        self._sums = {}
        for (_, anime_id), share in self._pairs.items():
            self._sums[anime_id] = self._sums.get(anime_id, 0.0) + share
