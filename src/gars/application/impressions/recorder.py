"""Log the lists that are shown, outside of the request: a bounded queue to a thread of its own.

An impression is worth less than the answer it belongs to: when the disk cannot keep up it is dropped, and counted.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import TypeVar

from gars.application.ports import Clock, ImpressionLog
from gars.domain.errors import StorageError
from gars.domain.impression import Impression
from gars.runtime.group_commit import GroupCommitThread
from gars.runtime.retention import Retention

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING = 2_000
"""Impressions that may wait for the disk: about 10 MB."""
MAX_GROUP = 256
"""Impressions in one commit."""
GATHER_S = 0.05
"""Time in seconds that an impression waits for others in its commit; so much is lost if the process is killed."""
_EXPIRE_EVERY = timedelta(hours=1)
_MOST_TRIMMED = 200_000
"""Impressions deleted at a time because the log is too large."""


class ImpressionRecorder:
    """Records impressions; ``record`` is for any thread and never waits.

    ``sample`` is the share of the lists that is kept (0 none, 1 all), chosen by a hash of the request id, so the same
    in all processes; ``keep`` is the retention time, ``None`` if the log itself expires records, and ``max_bytes`` the
    size limit of the log (0: none). ``known`` is the newest time in the stores at start.
    """

    def __init__(
        self,
        log: ImpressionLog,
        clock: Clock,
        *,
        sample: float = 1.0,
        keep: timedelta | None = timedelta(days=90),
        known: datetime | None = None,
        max_bytes: int = 0,
    ) -> None:
        self._log = log
        self._clock = clock
        self._sample = sample
        self._retention = None if keep is None else Retention(keep, known=known)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._expired: datetime | None = None
        self.recorded = 0
        """Impressions on disk since the start."""
        self.dropped = 0
        """Impressions lost since the start: the queue was full, or the disk failed."""
        self.last_error: StorageError | None = None
        """Error of the latest write; ``None`` after a success."""
        self._thread: GroupCommitThread[Impression] = GroupCommitThread(
            "gars-impressions", self._write, max_group=MAX_GROUP, max_waiting=MAX_WAITING, gather_s=GATHER_S
        )

    @property
    def waiting(self) -> int:
        """Number of queued impressions."""
        return self._thread.waiting

    def record(self, impression: Impression) -> None:
        """Queue an impression, if it is in the sample."""
        if not self._is_sampled(impression.request_id):
            return
        try:
            self._thread.submit(impression)
        except StorageError:
            self._drop(1)

    def call(self, run: Callable[[], T]) -> Future[T]:
        """Run a function after all impressions recorded before it are written. Raises ``StorageError``."""
        return self._thread.call(run)

    def forget(self, user_id: str) -> int:
        """Delete a user's impressions, also queued ones. → their number. Raises ``StorageError``."""
        return self.call(lambda: self._log.forget(user_id)).result()

    def flush(self) -> None:
        """Wait until all impressions recorded so far are on disk or dropped."""
        self.call(lambda: None).result()

    def close(self) -> None:
        """Write the queue, then stop; later impressions are dropped."""
        self._thread.close()

    def _is_sampled(self, request_id: str) -> bool:
        if self._sample >= 1 or self._sample <= 0:
            return self._sample >= 1
        drawn = int.from_bytes(hashlib.blake2b(request_id.encode(), digest_size=4).digest(), "big")
        return drawn < self._sample * 2**32

    def _write(self, group: list[Impression]) -> None:
        try:
            self._log.append(group)
        except StorageError as error:
            self.last_error = error
            self._drop(len(group))
            logger.warning("%d impression(s) lost: %s", len(group), error.message)
            return
        self.last_error = None
        self.recorded += len(group)
        try:
            self._expire()
        except StorageError as error:
            logger.warning("old impressions could not be deleted: %s", error.message)

    def _drop(self, count: int) -> None:
        with self._lock:
            self.dropped += count

    def _expire(self) -> None:
        """Delete expired impressions, and the oldest above the size limit, once an hour."""
        if self._retention is None:
            return
        now = self._clock.now()
        if self._expired is not None and timedelta(0) <= now - self._expired < _EXPIRE_EVERY:
            return
        self._expired = now
        oldest = next(iter(self._log.read()), None)
        if oldest is not None and (before := self._retention.cutoff(now, oldest.time)) is not None:
            self._log.expire(before=before)
        if self._max_bytes:
            trimmed = self._log.trim(to_bytes=self._max_bytes, at_most=_MOST_TRIMMED)
            if trimmed:
                logger.warning("the %d oldest impression(s) were deleted: GARS_IMPRESSION_BYTES", trimmed)
