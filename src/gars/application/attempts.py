"""A stage tried in the thread of whoever wants its answer, while somebody else holds its deadline.

A thread cannot be stopped, but it can be left behind: from then on somebody else answers, and what it makes is
nobody's. Either it finishes or it is left, never both: whoever is first has the claim.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class LeftBehindError(Exception):
    """In a thread that was late: somebody else answers now. Nothing may be said, kept or counted after it."""


class Claim:
    """Something that exactly one of many threads gets."""

    def __init__(self) -> None:
        self._taken = threading.Lock()

    def take(self) -> bool:
        """Whether the caller is the one; never waits."""
        return self._taken.acquire(blocking=False)


class Attempt:
    """One try. Its thread calls ``begin`` and ``finish``; the watcher ``wait_s``, and when that is over ``leave``.

    ``left`` is called once when the thread is left behind, and ``back`` once when it finishes all the same.
    """

    def __init__(
        self,
        limit_s: float,
        *,
        left: Callable[[], None],
        back: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit_s = limit_s
        self._left = left
        self._back = back
        self._now = now
        self._claim = Claim()
        self._due: float | None = None
        self.is_left = False
        """Whether its thread was left behind: its time is spent, and it is not to be tried again."""

    def begin(self) -> None:
        """The time runs from here, not from when the thread was asked for."""
        self._due = self._now() + self.limit_s

    def finish(self) -> None:
        """It is done, well or not. Raises ``LeftBehindError`` if that is too late."""
        if not self._claim.take():
            self._back()
            raise LeftBehindError

    def wait_s(self) -> float:
        """How long it cannot be late yet; not above 0: it is due."""
        return self.limit_s if self._due is None else self._due - self._now()

    def leave(self) -> bool:
        """Leave its thread behind, if it has not finished. → whether it was left"""
        if self._claim.take():
            self.is_left = True
            self._left()
        return self.is_left
