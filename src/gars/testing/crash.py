"""Stop a process after a numbered step, as a crash would."""

from __future__ import annotations


class Crash(BaseException):
    """The process is gone. Not an ``Exception``: no handler of the product may survive it."""


class CrashPoint:
    """Raises ``Crash`` after ``step``, the ``nth`` time it comes by; records the steps it saw."""

    def __init__(self, step: int, *, nth: int = 1) -> None:
        self.step = step
        self.seen: list[int] = []
        self._left = nth

    def __call__(self, step: int) -> None:
        """Called by the product after each step."""
        self.seen.append(step)
        if step == self.step:
            self._left -= 1
            if self._left == 0:
                raise Crash(f"after step {step}")
