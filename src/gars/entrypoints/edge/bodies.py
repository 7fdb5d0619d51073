"""Request bodies within a time: one that stops coming, comes too slowly or breaks off ends its request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from litestar.exceptions import ClientException, HTTPException
from litestar.types import HTTPReceiveMessage, Receive

from gars.domain.errors import OverloadedError

_SLOWEST = 16_000.0
"""Bytes a second, on average, after the first wait."""


class BodyMemory:
    """Counts the bytes of all bodies that are in memory, in the event loop alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def take(self, size: int) -> None:
        """Count bytes that have come; raises ``OverloadedError`` where they are too many."""
        self.held += size
        if self.held > self._most:
            raise OverloadedError(
                f"request bodies take more than {self._most:,} bytes at once",
                hint="come back after Retry-After seconds",
            )


def receive_in_time(receive: Receive, wait_s: float, memory: BodyMemory) -> tuple[Receive, Callable[[], None]]:
    """Return ``receive`` with a deadline for the body of one request.

    A pause may last ``wait_s``, and so may the whole body, plus a second for each ``_SLOWEST`` bytes that have come.
    After the body it waits as long as it takes: what comes then is only that the client has left.

    It raises ``HTTPException`` (408) when the body is late, ``ClientException`` (400) when it ends before it is
    complete, and ``OverloadedError`` when ``memory`` is full. The second callable gives the memory back, after the
    answer.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    received = 0
    is_complete = False

    async def next_message() -> HTTPReceiveMessage:
        nonlocal received, is_complete
        if is_complete:
            return await receive()  # type: ignore[return-value]
        now = loop.time()
        due = min(now + wait_s, started + wait_s + received / _SLOWEST)
        try:
            async with asyncio.timeout_at(due):
                message = await receive()
        except TimeoutError:
            raise HTTPException(
                status_code=408, detail=f"the body did not come in time: {received:,} bytes in {now - started:.0f} s"
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientException("the body ended before it was complete, or is not what its headers say")
        size = len(message["body"])  # type: ignore[typeddict-item]
        received += size
        memory.take(size)
        is_complete = not message.get("more_body", False)
        return message  # type: ignore[return-value]

    def give_back() -> None:
        memory.held -= received

    return next_message, give_back
