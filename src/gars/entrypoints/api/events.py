"""Server-Sent Events: notify a page of changes to its user's state."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import msgspec
from litestar import Request, get
from litestar.response import Stream

from gars.application.ports import Change, ChangeFeed
from gars.domain.user_state import UserState
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.streams import Streams

_HEADERS = {"X-Accel-Buffering": "no"}


@get(
    "/users/{user_id:str}/events",
    summary="Hear of changes as they happen",
    responses=errors(400, 503),
    media_type="text/event-stream",
    tags=["users"],
)
async def get_events(request: Request[Any, Any, Any], service: ServiceDep, user_id: UserId) -> Stream:
    """An event stream: `hello` with the current version, then `changed` at every change of the user's state."""
    user_id = checked_user_id(user_id)
    streams: Streams = request.app.state.streams
    client = request.scope.get("client")
    end = streams.add(client[0] if client else "")
    # not the service itself: an open page would keep its model in memory after a swap
    read = partial(service.threads.submit, service.states.get, user_id)
    events = _stream(user_id, service.feed, read, service.settings.ping_ms / 1000, end)
    weakref.finalize(events, end)  # the generator never runs if the client disconnects first
    return Stream(events, media_type="text/event-stream", headers=_HEADERS)


async def _stream(
    user_id: str,
    feed: ChangeFeed,
    read: Callable[[], Future[UserState | None]],
    ping_s: float,
    end: Callable[[], None],
) -> AsyncIterator[bytes]:
    """Yield the bytes of one stream. Calls ``end`` when the client disconnects or the service stops."""
    try:
        async with feed.listen(user_id) as next_change:  # before the version is read, so that no change is missed
            state = await asyncio.wrap_future(read())
            version = state.version if state else 0
            yield b"retry: 1000\n" + _event("hello", {"user_id": user_id, "version": version})
            while True:
                try:
                    change = await asyncio.wait_for(next_change(), ping_s)
                except TimeoutError:
                    yield b": ping\n\n"
                    continue
                if change is None:
                    return
                if change.version > version:
                    yield _event("changed", change)
    finally:
        end()


def _event(name: str, body: Change | dict[str, object]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"
