"""Who listens to whose changes in this process: a bounded queue for each listener, filled from any thread."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gars.application.ports import Change

_MAX_WAITING = 64
"""A listener this far behind loses the oldest: the newest version is the one that counts."""


class Mailbox:
    """Changes waiting for one listener; touched in its event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[Change | None] = deque(maxlen=_MAX_WAITING)
        self._ready = asyncio.Event()

    def deliver(self, changes: Sequence[Change | None]) -> None:
        """Put them in, from the listener's loop."""
        self._waiting.extend(changes)
        self._ready.set()

    async def get(self) -> Change | None:
        """The next change, ``None`` when the feed has closed."""
        while not self._waiting:
            self._ready.clear()
            await self._ready.wait()
        if self._waiting[0] is None:
            return None  # stays: whoever asks again hears it again
        return self._waiting.popleft()


class Mailboxes:
    """Every listener of this process by user."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_user: defaultdict[str, list[Mailbox]] = defaultdict(list)
        self._closed = False

    @property
    def count(self) -> int:
        """How many listeners there are."""
        with self._lock:
            return sum(map(len, self._by_user.values()))

    def users(self) -> list[str]:
        """Whose changes somebody wants to hear."""
        with self._lock:
            return list(self._by_user)

    def deliver(self, changes: Sequence[Change]) -> None:
        """Hand each listener the changes of its user."""
        by_user: defaultdict[str, list[Change]] = defaultdict(list)
        for change in changes:
            by_user[change.user_id].append(change)
        with self._lock:
            calls = [(box, own) for user_id, own in by_user.items() for box in self._by_user.get(user_id, ())]
        for box, own in calls:
            _tell(box, own)

    @contextmanager
    def open(self, user_id: str) -> Iterator[Mailbox]:
        """Register on entry, unregister on exit. Inside a running event loop."""
        box = Mailbox(asyncio.get_running_loop())
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
        """Send every listener home, also those who come later."""
        with self._lock:
            self._closed = True
            boxes = [box for some in self._by_user.values() for box in some]
        for box in boxes:
            _tell(box, [None])


def _tell(box: Mailbox, changes: Sequence[Change | None]) -> None:
    try:
        box.loop.call_soon_threadsafe(box.deliver, changes)
    except RuntimeError:  # its event loop has closed: nobody is there to hear it
        return
