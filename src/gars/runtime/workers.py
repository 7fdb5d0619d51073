"""Threads that take jobs in order. For one that is left behind another steps in, so as many are always at work."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import ParamSpec, TypeVar

from gars.runtime.budgets import AbandonedError

P = ParamSpec("P")
T = TypeVar("T")

Job = Callable[[], None]
"""Raises nothing but ``AbandonedError``, which ends its thread: another stands in for it."""


_SAMPLE, _OUTLIERS = 32, 4
"""The latest jobs whose mean time is expected of the next ones, and how many of the longest do not count: the first
jobs after a start, or one that met a slow disk, must not have others refused."""


class Workers(Executor):
    """``post``, ``submit`` and ``stand_in`` are for any thread."""

    def __init__(self, threads: int, name: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._now = now
        self._posted: deque[float] = deque()
        self._latest: deque[float] = deque(maxlen=_SAMPLE)
        """Seconds that the latest jobs took."""
        self._name = name
        self._started = 0
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._ended = threading.Semaphore(0)
        for _ in range(threads):
            self._start(None)

    def post(self, job: Job) -> None:
        """Queue a job; raises ``RuntimeError`` after ``shutdown``."""
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self._name} has been shut down")
            self._posted.append(self._now())
            self._jobs.put(job)

    @property
    def waiting(self) -> int:
        """Jobs that no thread has begun."""
        return len(self._posted)

    def waited_s(self) -> float:
        """Return how long the first job of the queue has waited, 0 if none waits. For any thread."""
        try:
            return self._now() - self._posted[0]
        except IndexError:
            return 0.0

    def expected_wait_s(self) -> float:
        """Return how long a job posted now is expected to wait: as many as wait, each as long as the latest ones took.

        At least as long as the first in the queue has waited already. For any thread.
        """
        waiting, latest = len(self._posted), self._latest.copy()
        if not waiting or len(latest) < _SAMPLE:
            return self.waited_s()
        mean_s = sum(sorted(latest)[:-_OUTLIERS]) / (_SAMPLE - _OUTLIERS)
        return max(self.waited_s(), waiting * mean_s / self._threads)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call; the future holds what it returns or raises."""
        future: Future[T] = Future()
        self.post(partial(_answer, future, partial(fn, *args, **kwargs)))
        return future

    def stand_in(self, job: Job | None) -> None:
        """Start a thread in place of one that hangs; it runs ``job`` before those that wait."""
        self._start(job)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Finish what waits, then stop. Threads that were left behind are not waited for."""
        if cancel_futures:
            raise NotImplementedError("waiting jobs are always run")
        with self._lock:
            closed, self._closed = self._closed, True
            if not closed:
                for _ in range(self._threads):
                    self._jobs.put(None)
        if wait:
            for _ in range(self._threads):
                self._ended.acquire()
            self._ended.release(self._threads)  # a second call finds them ended too

    def _start(self, first: Job | None) -> None:
        with self._lock:
            self._started += 1
            name = f"{self._name}_{self._started}"
        # as a daemon: one that hangs for ever must not keep the process
        threading.Thread(target=self._run, args=[first], name=name, daemon=True).start()

    def _run(self, job: Job | None) -> None:
        try:
            if job is not None:
                job()
            while (job := self._jobs.get()) is not None:
                self._posted.popleft()
                began = self._now()
                job()
                self._latest.append(self._now() - began)
                del job  # nothing of a request stays while the next one is waited for
        except AbandonedError:
            return
        self._ended.release()


def _answer(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        made = call()
    except BaseException as error:  # the caller's to handle
        future.set_exception(error)
    else:
        future.set_result(made)
