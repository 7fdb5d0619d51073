"""How long a stage may take: whoever waits goes on without it when its time is spent.

Whoever has somebody to hold the deadline (``attempts``) does the work in their own thread, which costs nothing; for
anybody else it goes to a thread of the budget's own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from gars.application.attempts import Attempt

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

    def attempt(self) -> Attempt | None:
        """A try for ``run``, to be watched by the caller; ``None`` where there is no limit to watch."""
        return Attempt(self.limit_s, left=self._left, back=self._back) if self.limit_s else None

    def run(self, work: Callable[[], T], attempt: Attempt | None = None) -> T:
        """The answer of ``work``; raises ``OutOfTimeError``, or whatever ``work`` raises.

        With an ``attempt`` that is watched ``work`` runs in this thread; raises ``LeftBehindError`` in one that was
        left behind, and ``OutOfTimeError`` when it is tried a second time.
        """
        if self._pool is None:
            return work()
        if attempt is not None and attempt.is_left:
            raise self._no_answer()  # counted when it was left
        if self._left_running >= self._threads:
            self.count("late")
            raise OutOfTimeError(f"{self._left_running} earlier calls are still running")
        if attempt is None:
            return self._in_pool(self._pool, work)
        attempt.begin()
        try:
            return work()
        finally:
            attempt.finish()

    def _in_pool(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        # the context goes along: the times of its stages are measured there too
        future = pool.submit(copy_context().run, work)
        try:
            return future.result(self.limit_s)
        except TimeoutError:
            if future.done():
                return future.result()  # its own error, or done in the last moment
            if future.cancel():
                self.count("late")
            else:
                self._left()
                future.add_done_callback(lambda _: self._back())
            raise self._no_answer() from None

    def _no_answer(self) -> OutOfTimeError:
        return OutOfTimeError(f"no answer within {self.limit_s * 1000:.0f} ms")

    def count(self, outcome: str) -> None:
        """Note what came of a run; that it was late is noted here."""
        with self._lock:
            self.outcomes[outcome] += 1

    def close(self) -> None:
        """Start nothing more; does not wait for what is late."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _left(self) -> None:
        with self._lock:
            self.outcomes["late"] += 1
            self._left_running += 1

    def _back(self) -> None:
        with self._lock:
            self._left_running -= 1
