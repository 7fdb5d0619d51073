"""Server-Sent Events: a page hears at once that its user's list has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from litestar import get
from litestar.response import Stream

from gars.application.ports import Change
from gars.bootstrap import Service
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.params import ServiceDep, UserId, checked_user_id
from gars.entrypoints.api.threads import in_thread

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


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
    return Stream(_stream(service, user_id), media_type="text/event-stream", headers=_HEADERS)


async def _stream(service: Service, user_id: str) -> AsyncIterator[bytes]:
    """The bytes of one stream; ends when the page goes away or the service stops."""
    with service.feed.listen(user_id) as listener:  # before the version is read: no change falls between
        state = await in_thread(service, service.states.get, user_id)
        version = state.version if state else 0
        yield b"retry: 1000\n" + _event("hello", {"user_id": user_id, "version": version})
        while True:
            try:
                change = await asyncio.wait_for(listener.get(), service.settings.ping_ms / 1000)
            except TimeoutError:
                yield b": ping\n\n"
                continue
            if change is None:
                return
            if change.version > version:
                yield _event("changed", change)


def _event(name: str, body: Change | dict[str, object]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"
