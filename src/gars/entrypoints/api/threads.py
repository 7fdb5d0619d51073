"""Run model and disk work outside the event loop, so that streams and health checks stay responsive.

Work is refused while the queue of the threads is too long: a request that outlasts its client's timeout is wasted
and delays all others (load shedding: Nygard, "Release It!", 2018).
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
"""Delay of a refusal: a client that retries at once would otherwise be refused thousands of times a second."""


class HasWorkers(Protocol):
    """A service with worker threads."""

    @property
    def settings(self) -> Settings:
        """Settings, which include the time a request may wait for a thread."""

    @property
    def threads(self) -> Workers:
        """The threads that run the models."""


async def refuse_overload(service: HasWorkers) -> None:
    """Raise ``OverloadedError`` if a job would wait for a thread longer than GARS_QUEUE_BUDGET_MS.

    The wait is predicted from the length of the queue, so that a burst is refused before its first request is late.
    """
    budget_ms = service.settings.queue_budget_ms
    if budget_ms and service.threads.expected_wait_s() * 1000 > budget_ms:
        await asyncio.sleep(_REFUSED_AFTER_S)
        raise OverloadedError(
            f"too many requests at once: {service.threads.waiting} wait, one more would for over {budget_ms} ms",
            hint="come back after Retry-After seconds; more lists at once: GARS_PROCESSES",
        )


async def run_in_worker(service: HasWorkers, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``work`` on a worker thread, in the caller's context: its stages count for this request.

    Raises ``OverloadedError`` if the queue of the workers is too long.
    """
    await refuse_overload(service)
    run = partial(copy_context().run, partial(work, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(service.threads, run)
