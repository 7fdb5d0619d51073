"""Change feeds with one fault each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.application.ports import Change, NextChange
from gars.testing.contracts.broken.types import Broken


class _PublishesToAllUsers(MemoryChangeFeed):
    def publish(self, changes: Sequence[Change]) -> None:
        for user_id in self._boxes.users():
            super().publish([replace(change, user_id=user_id) for change in changes])


class _RegistersLate(MemoryChangeFeed):
    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        listen = super().listen

        async def late() -> Change | None:
            async with listen(user_id) as next_change:
                return await next_change()

        yield late


class _LoopThreadOnly(MemoryChangeFeed):
    def publish(self, changes: Sequence[Change]) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        super().publish(changes)


class _CancelBreaks(MemoryChangeFeed):
    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        async with super().listen(user_id) as next_change:
            is_broken = False

            async def fragile() -> Change | None:
                nonlocal is_broken
                if is_broken:
                    return None
                try:
                    return await next_change()
                except BaseException:
                    is_broken = True
                    raise

            yield fragile


class _KeepsTheOldest(MemoryChangeFeed):
    def publish(self, changes: Sequence[Change]) -> None:
        super().publish([change for change in changes if change.version < 5000])

    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        async with super().listen(user_id) as next_change:

            async def ending() -> Change | None:
                received = await next_change()
                return None if received and received.version == 4999 else received

            yield ending


class _StaysOpen(MemoryChangeFeed):
    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        async with super().listen(user_id) as next_change:

            async def stubborn() -> Change | None:
                return await next_change() or Change("7", 1, "e", "click", 1, 1)

            yield stubborn


class _FailsWithoutLoop(MemoryChangeFeed):
    def __init__(self) -> None:
        super().__init__()
        self._loops: list[asyncio.AbstractEventLoop] = []

    @asynccontextmanager
    async def listen(self, user_id: str) -> AsyncIterator[NextChange]:
        self._loops.append(asyncio.get_running_loop())
        async with super().listen(user_id) as next_change:
            yield next_change

    def publish(self, changes: Sequence[Change]) -> None:
        for loop in self._loops:
            loop.call_soon_threadsafe(super().publish, changes)


CHANGE_FEEDS: Broken = {
    "test_publishes_to_every_listener_of_the_user": _PublishesToAllUsers,
    "test_receives_from_the_moment_of_listening": _RegistersLate,
    "test_publishes_from_any_thread": _LoopThreadOnly,
    "test_a_cancelled_get_loses_nothing": _CancelBreaks,
    "test_a_slow_listener_keeps_the_newest": _KeepsTheOldest,
    "test_close_sends_listeners_home": _StaysOpen,
    "test_publishing_after_the_loop_is_gone_is_harmless": _FailsWithoutLoop,
}
"""Check → the feed it must reject."""
