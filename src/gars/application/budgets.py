"""How long a stage may take: whoever waits goes on without it when its time is spent."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


class OutOfTimeError(Exception):
    """A stage has spent its budget, or those before it are still spending theirs."""


class Budget:
    """Runs a stage for at most ``limit_s`` seconds, 0 for as long as it takes; safe to call from many threads.

    A thread cannot be stopped, so work that is late goes on by itself and its answer is dropped. Once ``threads`` such
    leftovers are running the stage is refused at once: waiting for it would only cost every caller the whole budget.
    """

    def __init__(self, name: str, limit_s: float, *, threads: int = 4) -> None:
        self.name = name
        self.limit_s = limit_s
        self.outcomes: Counter[str] = Counter()
        """How often it was ``ok``, ``late``, ``failed`` (raised), ``away`` (elsewhere), or had ``nothing`` to say."""
        self._threads = threads
        self._lock = threading.Lock()
        self._left_running = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"gars-{name}") if limit_s else None

    def run(self, work: Callable[[], T]) -> T:
        """The answer of ``work``; raises ``OutOfTimeError``, or whatever ``work`` raises."""
        if self._pool is None:
            return work()
        with self._lock:
            if self._left_running >= self._threads:
                raise OutOfTimeError(f"{self._left_running} earlier calls are still running")
        # the context goes along: the times of its stages are measured there too
        future = self._pool.submit(copy_context().run, work)
        try:
            return future.result(self.limit_s)
        except TimeoutError:
            if future.done():
                return future.result()  # its own error, or done in the last moment
            self._leave(future)
            raise OutOfTimeError(f"no answer within {self.limit_s * 1000:.0f} ms") from None

    def count(self, outcome: str) -> None:
        """Note what came of a run."""
        with self._lock:
            self.outcomes[outcome] += 1

    def close(self) -> None:
        """Start nothing more; does not wait for what is late."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self, future: Future[T]) -> None:
        if future.cancel():
            return
        with self._lock:
            self._left_running += 1
        future.add_done_callback(self._returned)

    def _returned(self, _future: Future[T]) -> None:
        with self._lock:
            self._left_running -= 1
