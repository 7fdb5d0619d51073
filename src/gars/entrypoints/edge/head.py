"""HEAD wherever there is GET (RFC 9110, 9.3.2): the same answer without its body."""

from __future__ import annotations

import asyncio

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.asgi_types import HTTPDisconnectEvent


async def answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Let ``app`` answer as to GET, and send the head of the answer alone. An event stream ends at once."""
    is_answered = asyncio.Event()

    async def wait_for_the_end() -> HTTPDisconnectEvent:
        await is_answered.wait()
        return {"type": "http.disconnect"}

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            is_answered.set()

    as_get: Scope = {**scope, "method": "GET"}  # type: ignore[assignment]
    await app(as_get, wait_for_the_end, send_head)
