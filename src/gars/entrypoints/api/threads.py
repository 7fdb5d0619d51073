"""Model and disk work leaves the event loop, so that streams and health checks stay live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class HasThreads(Protocol):
    """A service with threads for what takes a while."""

    @property
    def threads(self) -> Executor:
        """Where requests run the models."""


async def in_thread(service: HasThreads, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``work`` on one of the service's threads, in the caller's context: its stages count for this request."""
    run = partial(copy_context().run, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(service.threads, run)
