"""Simulate the crash of a process after a numbered step."""

from __future__ import annotations


class Crash(BaseException):
    """The simulated crash. Not an ``Exception``, so that no handler of the product catches it."""


class CrashPoint:
    """Raises ``Crash`` at the ``nth`` call with ``step``; records the steps it was called with."""

    def __init__(self, step: int, *, nth: int = 1) -> None:
        self.step = step
        self.seen: list[int] = []
        self._left = nth

    def __call__(self, step: int) -> None:
        """Record a step; the product calls it after each one."""
        self.seen.append(step)
        if step == self.step:
            self._left -= 1
            if self._left == 0:
                raise Crash(f"after step {step}")
