"""The port for long work that shows progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[float], None]
"""Called with the amount of work just done, in the unit of the task's ``total``."""


class Progress(Protocol):
    """Shows named tasks; ``total=None`` means the amount is not known beforehand."""

    def task(self, label: str, total: float | None = None) -> AbstractContextManager[Advance]:
        """Open a task; call the yielded function with the work just done."""
        ...

    def note(self, text: str) -> None:
        """Print one line that stays."""
        ...


class Silent:
    """A ``Progress`` without output."""

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Advance]:  # noqa: ARG002
        """Open a task without output."""
        yield lambda _amount: None

    def note(self, text: str) -> None:
        """Do nothing."""
