"""Time budgets of stages: a caller continues without a stage whose budget is spent.

With a watcher of the deadline (``deadline_task``) the work runs in the caller's thread at no cost; otherwise it runs
in a thread of the budget's own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar, TypeVarTuple

from gars.runtime.deadline_task import DeadlineTask

T = TypeVar("T")
Args = TypeVarTuple("Args")


class OutOfTimeError(Exception):
    """The stage has spent its budget, or too many late calls of it are still running."""


class Budget:
    """Runs a stage for at most ``limit_s`` seconds, 0 for no limit; safe to call from many threads.

    A thread cannot be stopped, so late work continues and its result is dropped. Once ``threads`` such calls are
    running the stage is refused at once: waiting for it would only cost every caller the whole budget.
    """

    def __init__(self, name: str, limit_s: float, *, threads: int = 4) -> None:
        self.name = name
        self.limit_s = limit_s
        self.outcomes: Counter[str] = Counter()
        """Counts of outcomes: ``ok``, ``late``, ``failed`` (raised), ``away`` (other process), ``nothing`` (empty)."""
        self._threads = threads
        self._lock = threading.Lock()
        self._still_running = 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"gars-{name}") if limit_s else None

    def task(self) -> DeadlineTask | None:
        """Return a task for ``run``, to be watched by the caller; ``None`` without a limit."""
        return (
            DeadlineTask(self.limit_s, on_abandon=self._abandoned, on_return=self._returned) if self.limit_s else None
        )

    def run(self, work: Callable[[*Args], T], *args: *Args, task: DeadlineTask | None = None) -> T:
        """Return the result of ``work(*args)``; raises ``OutOfTimeError``, or any error of ``work``.

        With a ``task`` that is watched, ``work`` runs in this thread; raises ``AbandonedError`` if the task was
        abandoned, and ``OutOfTimeError`` when it is used a second time.
        """
        if self._pool is None:
            return work(*args)
        if task is not None and task.is_abandoned:
            raise self._no_answer()  # counted when it was abandoned
        if self._still_running >= self._threads:
            self.count("late")
            raise OutOfTimeError(f"{self._still_running} earlier calls are still running")
        if task is None:
            return self._in_pool(self._pool, partial(work, *args))
        task.begin()
        try:
            return work(*args)
        finally:
            task.finish()

    def _in_pool(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        # copy the context: the times of the stages are measured in it
        future = pool.submit(copy_context().run, work)
        try:
            return future.result(self.limit_s)
        except TimeoutError:
            if future.done():
                return future.result()  # its own error, or done in the last moment
            if future.cancel():
                self.count("late")
            else:
                self._abandoned()
                future.add_done_callback(lambda _: self._returned())
            raise self._no_answer() from None

    def _no_answer(self) -> OutOfTimeError:
        return OutOfTimeError(f"no answer within {self.limit_s * 1000:.0f} ms")

    def count(self, outcome: str) -> None:
        """Count the outcome of a run; ``late`` is counted by the budget itself."""
        with self._lock:
            self.outcomes[outcome] += 1

    def close(self) -> None:
        """Start no more work; does not wait for late calls."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _abandoned(self) -> None:
        with self._lock:
            self.outcomes["late"] += 1
            self._still_running += 1

    def _returned(self) -> None:
        with self._lock:
            self._still_running -= 1
