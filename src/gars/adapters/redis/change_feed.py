"""Changes over Redis publish/subscribe: listeners in any API process receive the changes of the feature job.

One connection per process, in the event loop of its own thread, subscribed only to users with listeners.
Publish/subscribe stores nothing: after a disconnection listeners get the current version of the state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gars.adapters.redis.connection import TIMEOUT_S, connect, explained, shown
from gars.adapters.redis.keys import Keys
from gars.application.ports import Change, NextChange
from gars.runtime.subscriptions import Subscriptions

logger = logging.getLogger(__name__)

MISSED = "missed"
"""Kind of the change sent after a disconnection: the events are unknown, only the version is."""
_SUBSCRIBE_S = 1.0
"""Time limit (s) of a subscription; a later one sends the current version when it is ready."""
_MAX_WAITING = 10_000
_BATCH = 500
_CHECK_S = 5.0
"""Interval (s) of health checks of an idle connection."""
_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


class RedisChangeFeed:
    """A ``ChangeFeed`` for listeners in any process."""

    def __init__(self, address: str, *, prefix: str = "gars") -> None:
        self._address = address
        self._client = connect(address)
        self._keys = Keys(prefix)
        self._boxes = Subscriptions[Change]()
        self._outbox: deque[tuple[str, bytes]] = deque(maxlen=_MAX_WAITING)
        self._closing = False
        # from here on only the feed's own thread touches these
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._listeners: Counter[str] = Counter()
        self._users: dict[str, str] = {}
        self._subscribed: set[str] = set()
        self._missed: set[str] = set()
        self._arrivals: dict[str, list[Callable[[], None]]] = {}
        self._thread = threading.Thread(target=self._run, name="gars-changes", daemon=True)
        self._thread.start()

    @property
    def listening(self) -> int:
        """Return the number of listeners in this process."""
        return self._boxes.count

    def publish(self, changes: Sequence[Change]) -> None:
        """Queue changes for the feed's thread; a full queue drops the oldest."""
        for change in changes:
            self._outbox.append((self._keys.changes(change.user_id), msgspec.msgpack.encode(change)))
        self._call(self._wake.set)

    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        """Subscribe on entry; unsubscribe when the last listener of the user leaves."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def arrive() -> None:
            with contextlib.suppress(RuntimeError):  # the listener's loop has closed
                loop.call_soon_threadsafe(arrived.set)

        with self._boxes.open(user_id) as box:
            channel = self._keys.changes(user_id)
            self._call(self._join, channel, user_id, arrive)
            try:
                try:
                    await asyncio.wait_for(arrived.wait(), _SUBSCRIBE_S)
                except TimeoutError:
                    self._call(self._missed.add, channel)
                yield box.get
            finally:
                self._call(self._leave, channel)

    def close(self) -> None:
        """End all listeners and stop the thread."""
        self._boxes.close()
        self._closing = True
        self._call(self._wake.set)
        self._call(self._stop.set)
        self._thread.join()
        self._client.close()

    def _call(self, run: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # closed: there are no listeners
            self._loop.call_soon_threadsafe(run, *arguments)

    def _join(self, channel: str, user_id: str, arrive: Callable[[], None]) -> None:
        self._listeners[channel] += 1
        self._users[channel] = user_id
        if self._closing or channel in self._subscribed:
            arrive()
            return
        self._arrivals.setdefault(channel, []).append(arrive)
        self._wake.set()

    def _leave(self, channel: str) -> None:
        self._listeners[channel] -= 1
        if not self._listeners[channel]:
            del self._listeners[channel]
            self._wake.set()

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._follow())

    async def _follow(self) -> None:
        """Run sessions with Redis, reconnecting after each failure."""
        pause_s = _PAUSE_S
        while not self._closing:
            started = time.monotonic()
            try:
                await self._session()
            except Exception as broken:  # whatever it was, the next session may do better
                first = broken.exceptions[0] if isinstance(broken, ExceptionGroup) else broken
                logger.warning("no changes from Redis at %s: %s", shown(self._address), first)
            self._missed.update(self._listeners)
            self._subscribed.clear()
            for channel in list(self._arrivals):  # who waits now would wait in vain
                self._arrived(channel)
            if time.monotonic() - started > _LONGEST_PAUSE_S:
                pause_s = _PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _session(self) -> None:
        """Run one session until its connection fails or the feed closes."""
        # publish/subscribe reaches every node of a Redis Cluster from any of them
        client: Any = Redis.from_url(
            self._address.replace("-cluster:", ":", 1),
            socket_connect_timeout=TIMEOUT_S,
            health_check_interval=_CHECK_S,
            retry=Retry(NoBackoff(), 0),
        )
        pubsub = client.pubsub()
        try:
            await pubsub.subscribe(self._keys.heartbeat)  # so that there is a connection to read from
            self._wake.set()
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(pubsub))
                await self._send(client, pubsub)
                reading.cancel()
        finally:
            with contextlib.suppress(redis.RedisError, OSError):
                await pubsub.aclose()
                await client.aclose()

    async def _send(self, client: Any, pubsub: Any) -> None:
        """Publish queued changes, and update subscriptions."""
        sent: set[str] = set()
        while not self._closing:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                pipeline = client.pipeline(transaction=False)
                for _ in range(min(_BATCH, len(self._outbox))):
                    pipeline.publish(*self._outbox.popleft())
                await pipeline.execute()
            users = set(self._listeners)  # after pending changes: new listeners do not get them
            if new := users - sent:
                await pubsub.subscribe(*new)
            if old := sent - users:
                self._subscribed -= old
                await pubsub.unsubscribe(*old)
                self._users = {channel: user_id for channel, user_id in self._users.items() if channel in users}
            sent = users

    async def _read(self, pubsub: Any) -> None:
        """Deliver received changes."""
        while True:
            message = await pubsub.get_message(timeout=_CHECK_S)
            match message and message["type"]:
                case "message":
                    self._deliver(message["data"])
                case "subscribe":
                    channel = message["channel"].decode()
                    if channel in self._listeners:
                        self._subscribed.add(channel)
                        self._arrived(channel)
                        await self._report_missed(channel)

    def _deliver(self, message: bytes) -> None:
        try:
            change = msgspec.msgpack.decode(message, type=Change)
        except msgspec.DecodeError as error:
            logger.warning("a message on a channel of changes is none: %s", error)
        else:
            self._boxes.deliver([change])

    def _arrived(self, channel: str) -> None:
        for arrive in self._arrivals.pop(channel, []):
            arrive()

    async def _report_missed(self, channel: str) -> None:
        """Send the current version to the listeners of a channel that may have missed changes."""
        if channel not in self._missed:
            return
        self._missed.discard(channel)
        user_id = self._users[channel]
        version = await asyncio.to_thread(self._version, user_id)
        if version:
            self._boxes.deliver([Change(user_id, version, "", MISSED, 0, round(time.time() * 1000))])

    def _version(self, user_id: str) -> int:
        with explained("read from", self._address):
            return int(self._client.hget(self._keys.state(user_id), "version") or 0)
