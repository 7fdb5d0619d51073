"""Model and disk work leaves the event loop, so that streams and health checks stay live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from gars.bootstrap import Service

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(service: Service, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``work`` on one of the service's threads, in the caller's context: its stages count for this request."""
    run = partial(copy_context().run, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(service.threads, run)
