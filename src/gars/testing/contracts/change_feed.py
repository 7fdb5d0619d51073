"""Contract of ``ChangeFeed``."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod

from gars.application.ports import Change, ChangeFeed, NextChange


def change(version: int, user_id: str = "7") -> Change:
    """Return a click of a user that leads to a state version."""
    return Change(user_id, version, f"e{version}", "click", 1, 1_000)


async def _silent(next_change: NextChange) -> bool:
    """Return true if no change arrives at a listener after the event loop has delivered all pending ones."""
    for _ in range(20):
        await asyncio.sleep(0)
    waiting = asyncio.ensure_future(next_change())
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    waiting.cancel()
    return not done


class ChangeFeedContract(ABC):
    """Checks of a ``ChangeFeed``."""

    deadline_s = 10.0
    """Deadline for a change to arrive; a later one counts as lost."""

    async def _versions(self, next_change: NextChange, n: int) -> list[int | None]:
        return [found.version if found else None for found in [await self._next(next_change) for _ in range(n)]]

    async def _next(self, next_change: NextChange) -> Change | None:
        try:
            return await asyncio.wait_for(next_change(), self.deadline_s)
        except TimeoutError:
            raise AssertionError("the listener was not called") from None

    @abstractmethod
    def open(self) -> ChangeFeed:
        """Open a feed without listeners."""

    def test_publishes_to_every_listener_of_the_user(self) -> None:
        """Every listener of a user gets every change in order, and no change of another user."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as one, feed.listen("7") as two, feed.listen("8") as other:
                feed.publish([change(1), change(2)])
                feed.publish([change(3)])
                assert await self._versions(one, 3) == [1, 2, 3]
                assert await self._versions(two, 3) == [1, 2, 3]
                assert await _silent(other)

        asyncio.run(scene())

    def test_receives_from_the_moment_of_listening(self) -> None:
        """A listener gets no earlier change and every later one, also one published before its first call."""

        async def scene() -> None:
            feed = self.open()
            feed.publish([change(1)])
            async with feed.listen("7") as next_change:
                feed.publish([change(2)])
                assert await self._versions(next_change, 1) == [2]

        asyncio.run(scene())

    def test_publishes_from_any_thread(self) -> None:
        """``publish`` works from a thread without an event loop."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as next_change:
                writer = threading.Thread(target=feed.publish, args=([change(1)],))
                writer.start()
                assert await self._versions(next_change, 1) == [1]
                writer.join()

        asyncio.run(scene())

    def test_a_cancelled_get_loses_nothing(self) -> None:
        """A listener whose wait was cancelled, as for a ping, still gets the next change."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as next_change:
                assert await _silent(next_change)
                feed.publish([change(1)])
                assert await self._versions(next_change, 1) == [1]

        asyncio.run(scene())

    def test_a_slow_listener_keeps_the_newest(self) -> None:
        """Old changes may be dropped, the newest never; the publisher does not wait for a slow listener."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as next_change:
                for version in range(1, 5001):
                    feed.publish([change(version)])
                versions: list[int] = []
                while not versions or versions[-1] < 5000:
                    found = await self._next(next_change)
                    assert found is not None
                    versions.append(found.version)
                assert versions == sorted(set(versions))

        asyncio.run(scene())

    def test_close_sends_listeners_home(self) -> None:
        """``close`` ends current and later listeners: they receive ``None``."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as next_change:
                feed.close()
                assert await self._versions(next_change, 2) == [None, None]
            async with feed.listen("7") as late:
                assert await self._versions(late, 1) == [None]

        asyncio.run(scene())

    def test_publishing_after_the_loop_is_gone_is_harmless(self) -> None:
        """A listener whose event loop has ended without leaving does not make ``publish`` fail."""
        feed = self.open()

        async def leave_without_goodbye() -> None:
            entered = feed.listen("7")
            await entered.__aenter__()
            kept.append(entered)

        kept: list[object] = []
        asyncio.run(leave_without_goodbye())
        feed.publish([change(1)])
