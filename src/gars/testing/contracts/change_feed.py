"""What every ``ChangeFeed`` must do."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod

from gars.application.ports import Change, ChangeFeed, Listener


def change(version: int, user_id: str = "7") -> Change:
    """A change to a version."""
    return Change(user_id, version, f"e{version}", "click", 1, 1_000)


async def _silent(listener: Listener) -> bool:
    """Whether nothing is waiting, once the event loop has delivered what it has."""
    for _ in range(20):
        await asyncio.sleep(0)
    waiting = asyncio.ensure_future(listener.get())
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    waiting.cancel()
    return not done


class ChangeFeedContract(ABC):
    """Checks of a ``ChangeFeed``."""

    deadline_s = 10.0
    """Whoever has heard nothing by then has lost something."""

    async def _versions(self, listener: Listener, n: int) -> list[int | None]:
        return [said.version if said else None for said in [await self._next(listener) for _ in range(n)]]

    async def _next(self, listener: Listener) -> Change | None:
        try:
            return await asyncio.wait_for(listener.get(), self.deadline_s)
        except TimeoutError:
            raise AssertionError("the listener was not told") from None

    @abstractmethod
    def open(self) -> ChangeFeed:
        """A feed nobody listens to yet."""

    def test_tells_every_listener_of_the_user(self) -> None:
        """Many tabs, each hears every change in order; nobody hears of another user."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as one, feed.listen("7") as two, feed.listen("8") as other:
                feed.publish([change(1), change(2)])
                feed.publish([change(3)])
                assert await self._versions(one, 3) == [1, 2, 3]
                assert await self._versions(two, 3) == [1, 2, 3]
                assert await _silent(other)

        asyncio.run(scene())

    def test_hears_from_the_moment_of_listening(self) -> None:
        """Nothing from before, everything after, also before the first ``get``."""

        async def scene() -> None:
            feed = self.open()
            feed.publish([change(1)])
            async with feed.listen("7") as listener:
                feed.publish([change(2)])
                assert await self._versions(listener, 1) == [2]

        asyncio.run(scene())

    def test_publishes_from_any_thread(self) -> None:
        """The writer is not in the event loop."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as listener:
                writer = threading.Thread(target=feed.publish, args=([change(1)],))
                writer.start()
                assert await self._versions(listener, 1) == [1]
                writer.join()

        asyncio.run(scene())

    def test_a_cancelled_get_loses_nothing(self) -> None:
        """A reader that gives up for a ping still hears the next change."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as listener:
                assert await _silent(listener)
                feed.publish([change(1)])
                assert await self._versions(listener, 1) == [1]

        asyncio.run(scene())

    def test_a_slow_listener_keeps_the_newest(self) -> None:
        """It may miss old changes, never the last; the publisher does not wait for it."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as listener:
                for version in range(1, 5001):
                    feed.publish([change(version)])
                heard: list[int] = []
                while not heard or heard[-1] < 5000:
                    said = await self._next(listener)
                    assert said is not None
                    heard.append(said.version)
                assert heard == sorted(set(heard))

        asyncio.run(scene())

    def test_close_sends_listeners_home(self) -> None:
        """Those who wait and those who come later."""

        async def scene() -> None:
            feed = self.open()
            async with feed.listen("7") as listener:
                feed.close()
                assert await self._versions(listener, 2) == [None, None]
            async with feed.listen("7") as late:
                assert await self._versions(late, 1) == [None]

        asyncio.run(scene())

    def test_publishing_after_the_loop_is_gone_is_harmless(self) -> None:
        """A listener that vanished without leaving does not stop the writer."""
        feed = self.open()

        async def leave_without_goodbye() -> None:
            entered = feed.listen("7")
            await entered.__aenter__()
            kept.append(entered)

        kept: list[object] = []
        asyncio.run(leave_without_goodbye())
        feed.publish([change(1)])
