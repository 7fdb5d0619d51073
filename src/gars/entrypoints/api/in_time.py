"""Work in a thread whose deadline the event loop holds: when it is late, another thread makes the next best answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Generic, Protocol, TypeVar

from gars.application.attempts import Attempt, LeftBehindError
from gars.application.budgets import Budget
from gars.application.ladder import Rung
from gars.application.request_ids import request_id
from gars.application.stage_times import StageTimes, measured, measuring
from gars.application.workers import Workers
from gars.entrypoints.api.threads import HasThreads, refuse_overload

T = TypeVar("T")


class HasBudgets(HasThreads, Protocol):
    """A service with threads that may be left behind."""

    @property
    def budgets(self) -> Mapping[Rung, Budget]:
        """How long each rung may take."""


async def in_time(service: HasBudgets, work: Callable[..., T], *args: object, **kwargs: object) -> T:
    """``work(…, attempt=…)`` on one of the service's threads; its stages count for this request.

    If the attempt is late its thread is left behind, and ``work`` is called again with the same one. Raises
    ``OverloadedError`` where too much waits for the threads.
    """
    await refuse_overload(service)
    attempt = service.budgets["ranking"].attempt()
    return await _Answer(service.threads, partial(work, *args, **kwargs, attempt=attempt), attempt).future


class _Answer(Generic[T]):
    """What a request waits for. All but ``_run`` is in the event loop, and nothing of it ends when the request does:
    also the thread of somebody who has gone away must be replaced if it hangs."""

    def __init__(self, workers: Workers, work: Callable[[], T], attempt: Attempt | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers = workers
        self._work = work
        self._of_request = measured() or StageTimes()
        self._request_id = request_id.get()
        self._times = StageTimes()
        self._timer: asyncio.TimerHandle | None = None
        self.future: asyncio.Future[T] = self._loop.create_future()
        workers.post(partial(self._run, self._times))
        if attempt is not None:
            self._watch(attempt)

    def _run(self, times: StageTimes) -> None:
        """In a worker. The times are its own: those of a thread that was left behind are nobody's either."""
        request_id.set(self._request_id)
        try:
            with measuring(times):
                made = self._work()
        except LeftBehindError:
            raise  # the loop knows already
        except BaseException as error:
            self._tell(partial(self._fail, error))
        else:
            self._tell(partial(self._arrive, made))

    def _tell(self, said: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(said)

    def _arrive(self, made: T) -> None:
        if self._end():
            self.future.set_result(made)

    def _fail(self, error: BaseException) -> None:
        if self._end():
            self.future.set_exception(error)

    def _end(self) -> bool:
        """→ whether somebody still waits"""
        if self._timer is not None:
            self._timer.cancel()
        self._of_request.add_all(self._times)
        return not self.future.done()

    def _watch(self, attempt: Attempt) -> None:
        """Look again when it may be late."""
        wait_s = attempt.wait_s()
        if wait_s > 0:
            self._timer = self._loop.call_later(wait_s, self._watch, attempt)
        elif attempt.leave():
            self._of_request.add_all(self._times)
            self._times = StageTimes()
            self._workers.stand_in(None if self.future.done() else partial(self._run, self._times))
