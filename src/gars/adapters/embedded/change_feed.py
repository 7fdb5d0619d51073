"""The change feed inside one process: a bounded queue per listener, woken across threads."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gars.application.ports import Change

_MAX_WAITING = 64
"""A listener this far behind loses the oldest: the newest version is the one that counts."""


class _Listener:
    """Changes waiting for one listener; touched in its event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[Change | None] = deque(maxlen=_MAX_WAITING)
        self._ready = asyncio.Event()

    def deliver(self, changes: Sequence[Change | None]) -> None:
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


class MemoryChangeFeed:
    """A ``ChangeFeed`` for listeners in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: defaultdict[str, list[_Listener]] = defaultdict(list)
        self._closed = False

    @property
    def listening(self) -> int:
        """How many listeners there are."""
        with self._lock:
            return sum(map(len, self._listeners.values()))

    def publish(self, changes: Sequence[Change]) -> None:
        """Hand each listener the changes of its user."""
        by_user: defaultdict[str, list[Change]] = defaultdict(list)
        for change in changes:
            by_user[change.user_id].append(change)
        with self._lock:
            calls = [
                (listener, own) for user_id, own in by_user.items() for listener in self._listeners.get(user_id, ())
            ]
        for listener, own in calls:
            _tell(listener, own)

    @contextmanager
    def listen(self, user_id: str) -> Iterator[_Listener]:
        """Register on entry, unregister on exit."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            if self._closed:
                listener.deliver([None])
            self._listeners[user_id].append(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners[user_id].remove(listener)
                if not self._listeners[user_id]:
                    del self._listeners[user_id]

    def close(self) -> None:
        """Send every listener home, also those who come later."""
        with self._lock:
            self._closed = True
            listeners = [listener for some in self._listeners.values() for listener in some]
        for listener in listeners:
            _tell(listener, [None])


def _tell(listener: _Listener, changes: Sequence[Change | None]) -> None:
    try:
        listener.loop.call_soon_threadsafe(listener.deliver, changes)
    except RuntimeError:  # its event loop has closed: nobody is there to hear it
        return
