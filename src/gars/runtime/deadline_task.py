"""Work with a deadline that runs in the caller's thread, while a watcher enforces the deadline.

A thread cannot be stopped, but it can be abandoned: from then on the watcher answers, and the result of the late
thread is dropped. A task either finishes or is abandoned, never both: the first to take the claim decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class AbandonedError(Exception):
    """Raised in a thread that missed its deadline; it must not answer, store or count anything after it."""


class Claim:
    """A claim that exactly one of many threads gets."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    def take(self) -> bool:
        """Return whether the caller got the claim; never blocks."""
        return self._taken.acquire(blocking=False)


class DeadlineTask:
    """Work with a deadline: its thread calls ``begin`` and ``finish``, its watcher ``wait_s`` and ``abandon``.

    ``on_abandon`` is called once when the thread is abandoned, and ``on_return`` once when it finishes all the same.
    """

    def __init__(
        self,
        limit_s: float,
        *,
        on_abandon: Callable[[], None],
        on_return: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit_s = limit_s
        self._on_abandon = on_abandon
        self._on_return = on_return
        self._now = now
        self._claim = Claim()
        self._due: float | None = None
        self.is_abandoned = False
        """True once its thread was abandoned: the budget is spent, and the task is not to be repeated."""

    def begin(self) -> None:
        """Start the time limit, which does not include the wait for a thread."""
        self._due = self._now() + self.limit_s

    def finish(self) -> None:
        """Record that the work ended, by result or error. Raises ``AbandonedError`` after the deadline."""
        if not self._claim.take():
            self._on_return()
            raise AbandonedError

    def wait_s(self) -> float:
        """Return the remaining time in seconds; 0 or less once the deadline has passed."""
        return self.limit_s if self._due is None else self._due - self._now()

    def abandon(self) -> bool:
        """Abandon the thread unless it has finished. → true if it was abandoned"""
        if self._claim.take():
            self.is_abandoned = True
            self._on_abandon()
        return self.is_abandoned
