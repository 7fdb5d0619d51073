"""Server-Sent Events: a page hears at once that its user's list has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial

import msgspec
from litestar import get
from litestar.response import Stream

from gars.application.ports import Change, ChangeFeed
from gars.domain.user_state import UserState
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep, UserId, checked_user_id

_HEADERS = {"X-Accel-Buffering": "no"}


@get(
    "/users/{user_id:str}/events",
    summary="Hear of changes as they happen",
    responses=errors(400, 503),
    media_type="text/event-stream",
    tags=["users"],
)
async def get_events(service: ServiceDep, user_id: UserId) -> Stream:
    """A stream: first `hello` with the current version, then `changed` whenever the user's state moves on."""
    user_id = checked_user_id(user_id)
    # not the service itself: an open page would keep its model in memory after another took over
    read = partial(service.threads.submit, service.states.get, user_id)
    events = _stream(user_id, service.feed, read, service.settings.ping_ms / 1000)
    return Stream(events, media_type="text/event-stream", headers=_HEADERS)


async def _stream(
    user_id: str, feed: ChangeFeed, read: Callable[[], Future[UserState | None]], ping_s: float
) -> AsyncIterator[bytes]:
    """The bytes of one stream; ends when the page goes away or the service stops."""
    async with feed.listen(user_id) as listener:  # before the version is read: no change falls between
        state = await asyncio.wrap_future(read())
        version = state.version if state else 0
        yield b"retry: 1000\n" + _event("hello", {"user_id": user_id, "version": version})
        while True:
            try:
                change = await asyncio.wait_for(listener.get(), ping_s)
            except TimeoutError:
                yield b": ping\n\n"
                continue
            if change is None:
                return
            if change.version > version:
                yield _event("changed", change)


def _event(name: str, body: Change | dict[str, object]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"
