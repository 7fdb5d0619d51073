"""Subscriptions to users' changes in this process: a bounded queue for each subscriber, filled from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

_MAX_WAITING = 64
"""Queue capacity; the oldest changes are dropped, since only the newest version counts."""


class OfUser(Protocol):
    """A message for the subscribers of one user."""

    @property
    def user_id(self) -> str:
        """The user."""
        ...


C = TypeVar("C", bound=OfUser)


class Subscription(Generic[C]):
    """Queue of changes for one subscriber; used in its event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[C | None] = deque(maxlen=_MAX_WAITING)
        self._ready = asyncio.Event()

    def deliver(self, changes: Sequence[C | None]) -> None:
        """Queue changes, from the subscriber's loop."""
        self._waiting.extend(changes)
        self._ready.set()

    async def get(self) -> C | None:
        """Return the next change; ``None`` when the feed has closed. May be cancelled without losing a change."""
        while not self._waiting:
            self._ready.clear()
            await self._ready.wait()
        if self._waiting[0] is None:
            return None  # stays: a further call returns it again
        return self._waiting.popleft()


class Subscriptions(Generic[C]):
    """All subscribers of this process by user."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_user: defaultdict[str, list[Subscription[C]]] = defaultdict(list)
        self._closed = False

    @property
    def count(self) -> int:
        """Number of subscribers."""
        with self._lock:
            return sum(map(len, self._by_user.values()))

    def users(self) -> list[str]:
        """Return the users with at least one subscriber."""
        with self._lock:
            return list(self._by_user)

    def deliver(self, changes: Sequence[C]) -> None:
        """Deliver to each subscriber the changes of its user."""
        by_user: defaultdict[str, list[C]] = defaultdict(list)
        for change in changes:
            by_user[change.user_id].append(change)
        with self._lock:
            calls = [(box, own) for user_id, own in by_user.items() for box in self._by_user.get(user_id, ())]
        for box, own in calls:
            _deliver(box, own)

    @contextmanager
    def open(self, user_id: str) -> Iterator[Subscription[C]]:
        """Subscribe on entry, unsubscribe on exit. Needs a running event loop."""
        box = Subscription[C](asyncio.get_running_loop())
        with self._lock:
            if self._closed:
                box.deliver([None])
            self._by_user[user_id].append(box)
        try:
            yield box
        finally:
            with self._lock:
                self._by_user[user_id].remove(box)
                if not self._by_user[user_id]:
                    del self._by_user[user_id]

    def close(self) -> None:
        """End all subscriptions, also those opened later."""
        with self._lock:
            self._closed = True
            boxes = [box for some in self._by_user.values() for box in some]
        for box in boxes:
            _deliver(box, [None])


def _deliver(box: Subscription[C], changes: Sequence[C | None]) -> None:
    try:
        box.loop.call_soon_threadsafe(box.deliver, changes)
    except RuntimeError:  # its event loop has closed: the subscriber is gone
        return
