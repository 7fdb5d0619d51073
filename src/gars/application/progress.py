"""The port for long work that shows progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[float], None]
"""Called with the amount of work just done, in the unit of the task's ``total``."""


class Progress(Protocol):
    """Shows named pieces of work; ``total=None`` means the amount is not known beforehand."""

    def task(self, label: str, total: float | None = None) -> AbstractContextManager[Advance]:
        """Open a task; call the yielded function with the work just done."""
        ...

    def note(self, text: str) -> None:
        """Say one line that stays."""
        ...


class Silent:
    """A ``Progress`` that says nothing."""

    @contextmanager
    def task(self, label: str, total: float | None = None) -> Iterator[Advance]:  # noqa: ARG002
        """Open a task nobody sees."""
        yield lambda _amount: None

    def note(self, text: str) -> None:
        """Say nothing."""
