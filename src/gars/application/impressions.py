"""Log the lists that are shown, off the path of the request: a bounded queue to a thread of its own.

An impression is worth less than the answer it belongs to: when the disk cannot keep up it is dropped, and counted.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from gars.application.ports import Clock, ImpressionLog
from gars.domain.errors import StorageError
from gars.domain.impression import Impression

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING = 2_000
"""Impressions that may wait for the disk: about 10 MB."""
MAX_GROUP = 256
"""Impressions in one commit."""
_EXPIRE_EVERY = timedelta(hours=1)


class _Task(Generic[T]):
    """Work for the thread that writes, in its turn."""

    def __init__(self, run: Callable[[], T]) -> None:
        self.run = run
        self.future: Future[T] = Future()
        self.future.set_running_or_notify_cancel()


class ImpressionRecorder:
    """``record`` is for any thread and never waits.

    ``sample`` is the share of the lists that is kept (0 none, 1 all), chosen by a hash of the request id, so the same
    everywhere; ``keep`` is how long.
    """

    def __init__(
        self, log: ImpressionLog, clock: Clock, *, sample: float = 1.0, keep: timedelta = timedelta(days=90)
    ) -> None:
        self._log = log
        self._clock = clock
        self._sample = sample
        self._keep = keep
        self._inbox: queue.SimpleQueue[Impression | _Task[object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._expired: datetime | None = None
        self.recorded = 0
        """Impressions on disk since the start."""
        self.dropped = 0
        """Impressions lost since the start: the queue was full, or the disk failed."""
        self._thread = threading.Thread(target=self._run, name="gars-impressions", daemon=True)
        self._thread.start()

    def record(self, impression: Impression) -> None:
        """Queue an impression, if it is in the sample."""
        if not self._is_sampled(impression.request_id):
            return
        with self._lock:
            if self._closed or self._inbox.qsize() >= MAX_WAITING:
                self.dropped += 1
                return
            self._inbox.put(impression)

    def call(self, run: Callable[[], T]) -> Future[T]:
        """Run something after everything that was recorded before it is written."""
        task = _Task(run)
        with self._lock:
            if self._closed:
                raise StorageError("the service is stopping", hint="send it again when it is back")
            self._inbox.put(task)  # type: ignore[arg-type]  # Future is invariant; only ``run``'s own result goes in
        return task.future

    def forget(self, user_id: str) -> int:
        """Delete a user's impressions, also those still waiting. → how many. Raises ``StorageError``."""
        return self.call(lambda: self._log.forget(user_id)).result()

    def flush(self) -> None:
        """Wait until what was recorded so far is on disk or dropped."""
        self.call(lambda: None).result()

    def close(self) -> None:
        """Write what waits, then stop; later impressions are dropped."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._inbox.put(None)
        self._thread.join()

    def _is_sampled(self, request_id: str) -> bool:
        if self._sample >= 1 or self._sample <= 0:
            return self._sample >= 1
        drawn = int.from_bytes(hashlib.blake2b(request_id.encode(), digest_size=4).digest(), "big")
        return drawn < self._sample * 2**32

    def _run(self) -> None:
        entry = self._inbox.get()
        while entry is not None:
            if isinstance(entry, _Task):
                _answer(entry)
                entry = self._inbox.get()
            else:
                entry = self._write_from(entry)

    def _write_from(self, first: Impression) -> Impression | _Task[object] | None:
        """Write ``first`` and the impressions that wait behind it. → the entry that comes next."""
        group = [first]
        following: Impression | _Task[object] | None = None
        ended = False
        while len(group) < MAX_GROUP and not ended:
            try:
                following = self._inbox.get_nowait()
            except queue.Empty:
                break
            if isinstance(following, Impression):
                group.append(following)
            else:
                ended = True
        self._write(group)
        return following if ended else self._inbox.get()

    def _write(self, group: list[Impression]) -> None:
        try:
            self._log.append(group)
            self._expire()
        except StorageError as error:
            with self._lock:
                self.dropped += len(group)
            logger.warning("%d impression(s) lost: %s", len(group), error.message)
        else:
            self.recorded += len(group)

    def _expire(self) -> None:
        """Now and then delete what is too old."""
        now = self._clock.now()
        if self._expired is None or not timedelta(0) <= now - self._expired < _EXPIRE_EVERY:
            self._expired = now
            self._log.expire(before=now - self._keep)


def _answer(task: _Task[object]) -> None:
    try:
        task.future.set_result(task.run())
    except Exception as error:  # the caller's to handle
        task.future.set_exception(error)
