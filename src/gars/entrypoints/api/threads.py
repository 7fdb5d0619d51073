"""Model and disk work leaves the event loop, so that streams and health checks stay live.

While the queue of the threads is too long, more work is refused: a request that waits longer than its sender does is
work for nobody, and delays all others (load shedding: Nygard, "Release It!", 2018).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from gars.application.workers import Workers
from gars.config import Settings
from gars.domain.errors import OverloadedError

P = ParamSpec("P")
T = TypeVar("T")

_REFUSED_AFTER_S = 0.25
"""A client that asks again at once would otherwise be refused thousands of times a second, and slow down all others."""


class HasThreads(Protocol):
    """A service with threads for what takes a while."""

    @property
    def settings(self) -> Settings:
        """Among them how long a request may wait for a thread."""

    @property
    def threads(self) -> Workers:
        """Where requests run the models."""


async def refuse_overload(service: HasThreads) -> None:
    """Raise ``OverloadedError`` if a job would wait for a thread longer than GARS_QUEUE_BUDGET_MS.

    That is expected from the length of the queue: of many requests at once the last ones would be late before the first
    one has waited for long.
    """
    budget_ms = service.settings.queue_budget_ms
    if budget_ms and service.threads.expected_wait_s() * 1000 > budget_ms:
        await asyncio.sleep(_REFUSED_AFTER_S)
        raise OverloadedError(
            f"too many requests at once: {service.threads.waiting} wait, one more would for over {budget_ms} ms",
            hint="come back after Retry-After seconds; more lists at once: GARS_PROCESSES",
        )


async def in_thread(service: HasThreads, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``work`` on one of the service's threads, in the caller's context: its stages count for this request.

    Raises ``OverloadedError`` where too much waits for them.
    """
    await refuse_overload(service)
    run = partial(copy_context().run, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(service.threads, run)
