"""Time budgets of stages, and the deadline of a request that passes through them.

A stage runs in the caller's thread, at no cost. A thread cannot be stopped, but it can be abandoned: a watcher (the
event loop) sees that the limit of the stage has passed and answers by another thread, which goes on with the next
stage; the result of the late thread is dropped. Without a watcher there are no limits.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class OutOfTimeError(Exception):
    """The stage has spent its budget, or too many late calls of it are still running."""


class AbandonedError(Exception):
    """Raised in a thread that missed its deadline; it must not answer, store or count anything after it."""


class Budget:
    """The time limit of a stage in seconds, 0 for none, and what came of its calls; safe to use from many threads.

    Late work continues and its result is dropped. Once ``threads`` such calls are running the stage is refused at
    once: waiting for it would only cost every caller the whole budget.
    """

    def __init__(self, name: str, limit_s: float, *, threads: int = 4) -> None:
        self.name = name
        self.limit_s = limit_s
        self.outcomes: Counter[str] = Counter()
        """Counts of outcomes: ``ok``, ``late``, ``failed`` (raised), ``away`` (other process), ``nothing`` (empty)."""
        self._threads = threads
        self._lock = threading.Lock()
        self._still_running = 0

    def count(self, outcome: str) -> None:
        """Count the outcome of a call; ``late`` is counted by the budget and the deadline."""
        with self._lock:
            self.outcomes[outcome] += 1

    def refuse_if_stuck(self) -> None:
        """Raise ``OutOfTimeError`` while as many late calls as allowed are still running."""
        if self._still_running >= self._threads:
            self.count("late")
            raise OutOfTimeError(f"{self._still_running} earlier calls are still running")

    def abandoned(self) -> None:
        """Count a call that is late and still running."""
        with self._lock:
            self.outcomes["late"] += 1
            self._still_running += 1

    def returned(self) -> None:
        """Count a late call as ended."""
        with self._lock:
            self._still_running -= 1


@dataclass(slots=True, eq=False)
class _Running:
    """A stage in progress. It finishes or is abandoned, never both: the first to take the claim decides."""

    budget: Budget
    due: float
    claim: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Return whether the caller is the first to take the claim; never blocks."""
        return self.claim.acquire(blocking=False)


class Deadline:
    """The time limits of one request: its thread enters one stage after the other, its watcher abandons late ones."""

    def __init__(self, idle_s: float, *, now: Callable[[], float] = time.monotonic) -> None:
        """``idle_s`` is how soon a watcher looks again while no stage runs, such as while the request is queued."""
        self._idle_s = idle_s
        self._now = now
        self._running: _Running | None = None
        self.spent: set[Budget] = set()
        """Budgets of abandoned stages."""
        self.handled: set[Budget] = set()
        """Budgets of stages that the caller has dealt with: a thread that replaces another does not repeat them."""

    @contextmanager
    def stage(self, budget: Budget) -> Iterator[None]:
        """Run a stage within its budget.

        Raises:
            OutOfTimeError: it was abandoned before, or too many late calls of it are still running.
            AbandonedError: at its end, by result or error, if it has been abandoned.
        """
        if budget in self.spent:  # counted when it was abandoned
            raise OutOfTimeError(f"no answer within {budget.limit_s * 1000:.0f} ms")
        if not budget.limit_s:
            yield
            return
        budget.refuse_if_stuck()
        running = self._running = _Running(budget, self._now() + budget.limit_s)
        try:
            yield
        finally:
            if not running.take():
                budget.returned()
                raise AbandonedError
            self._running = None

    def wait_s(self) -> float:
        """Return the seconds until the watcher has to look again; 0 or less once the running stage is late."""
        running = self._running
        return self._idle_s if running is None else running.due - self._now()

    def abandon_if_late(self) -> bool:
        """Abandon the running stage if its limit has passed. → true if it was: another thread has to go on"""
        running = self._running
        if running is None or self._now() < running.due or not running.take():
            return False
        self._running = None
        self.spent.add(running.budget)
        running.budget.abandoned()
        return True
