"""Run model and disk work outside the event loop, so that streams and health checks stay responsive.

Work is refused while the queue of the threads is too long: a request that outlasts its client's timeout is wasted
and delays all others (load shedding: Nygard, "Release It!", 2018). The event loop holds the deadline of a list; a late
thread is replaced by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Generic, ParamSpec, Protocol, TypeVar

from gars.application.recommend.fallback_chain import FallbackLevel
from gars.config import Settings
from gars.domain.errors import OverloadedError
from gars.runtime import tracing
from gars.runtime.budgets import AbandonedError, Budget, Deadline
from gars.runtime.request_ids import request_id
from gars.runtime.stage_times import StageTimes, measured, measuring
from gars.runtime.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")

_SOONEST_S = 0.001
"""A stage whose limit passes as it ends is looked at again after this, not at once: the event loop has other work."""
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


class HasBudgets(HasWorkers, Protocol):
    """A service with worker threads that can be abandoned after a deadline."""

    @property
    def budgets(self) -> Mapping[FallbackLevel, Budget]:
        """The time budget of each fallback level."""


async def run_with_deadline(service: HasBudgets, work: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Run ``work(…, deadline=…)`` on a worker thread; its stages count for this request.

    If a stage is late, its thread is abandoned and ``work`` is called again with the same deadline. Raises
    ``OverloadedError`` if the queue of the workers is too long.
    """
    await refuse_overload(service)
    limits_s = [budget.limit_s for budget in service.budgets.values() if budget.limit_s]
    deadline = Deadline(min(limits_s)) if limits_s else None
    return await _Answer(service.threads, partial(work, *args, **kwargs, deadline=deadline), deadline).future


class _Answer(Generic[T]):
    """The pending result of a request. All methods except ``_run`` run in the event loop.

    It outlives the request: the thread of a disconnected client must still be replaced if it hangs.
    """

    def __init__(self, workers: Workers, work: Callable[[], T], deadline: Deadline | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers = workers
        self._work = work
        self._of_request = measured() or StageTimes()
        self._request_id = request_id.get()
        self._span = tracing.current()
        self._times = StageTimes()
        self._timer: asyncio.TimerHandle | None = None
        self.future: asyncio.Future[T] = self._loop.create_future()
        workers.post(partial(self._run, self._times))
        if deadline is not None:
            self._watch(deadline)

    def _run(self, times: StageTimes) -> None:
        """Run the work in a worker thread, with stage times of its own: those of an abandoned thread are discarded."""
        request_id.set(self._request_id)
        if tracing.tracer is not None:
            tracing.set_current(self._span)
        try:
            with measuring(times):
                made = self._work()
        except AbandonedError:
            raise  # the event loop has already replaced this thread
        except BaseException as error:
            self._call_in_loop(partial(self._fail, error))
        else:
            self._call_in_loop(partial(self._arrive, made))

    def _call_in_loop(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: no request is waiting
            self._loop.call_soon_threadsafe(callback)

    def _arrive(self, made: T) -> None:
        if self._end():
            self.future.set_result(made)

    def _fail(self, error: BaseException) -> None:
        if self._end():
            self.future.set_exception(error)

    def _end(self) -> bool:
        """Stop the timer and record the stage times. → true if the result is still awaited"""
        if self._timer is not None:
            self._timer.cancel()
        self._of_request.add_all(self._times)
        return not self.future.done()

    def _watch(self, deadline: Deadline) -> None:
        """Replace the thread if its stage is late; look again once a stage may be."""
        if deadline.abandon_if_late():
            self._of_request.add_all(self._times)
            self._times = StageTimes()
            if self.future.done():  # no request waits for another answer
                self._workers.stand_in(None)
                return
            self._workers.stand_in(partial(self._run, self._times))
        self._timer = self._loop.call_later(max(deadline.wait_s(), _SOONEST_S), self._watch, deadline)
