"""The change feed inside one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gars.application.ports import Change, NextChange
from gars.runtime.subscriptions import Subscriptions


class MemoryChangeFeed:
    """A ``ChangeFeed`` for listeners in this process."""

    def __init__(self) -> None:
        self._boxes = Subscriptions[Change]()

    @property
    def listening(self) -> int:
        """Return the number of listeners."""
        return self._boxes.count

    def publish(self, changes: Sequence[Change]) -> None:
        """Deliver to each listener the changes of its user."""
        self._boxes.deliver(changes)

    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        """Register on entry, unregister on exit."""
        with self._boxes.open(user_id) as box:
            yield box.get

    def close(self) -> None:
        """End all listeners, also later ones."""
        self._boxes.close()
