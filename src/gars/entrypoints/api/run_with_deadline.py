"""Run work in a thread with a deadline held by the event loop; a late thread is replaced by another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Generic, Protocol, TypeVar

from gars.application.budgets import Budget
from gars.application.deadline_task import AbandonedError, DeadlineTask
from gars.application.fallback_chain import FallbackLevel
from gars.application.request_ids import request_id
from gars.application.stage_times import StageTimes, measured, measuring
from gars.application.workers import Workers
from gars.entrypoints.api.threads import HasWorkers, refuse_overload

T = TypeVar("T")


class HasBudgets(HasWorkers, Protocol):
    """A service with worker threads that can be abandoned after a deadline."""

    @property
    def budgets(self) -> Mapping[FallbackLevel, Budget]:
        """The time budget of each fallback level."""


async def run_with_deadline(service: HasBudgets, work: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Run ``work(…, task=…)`` on a worker thread; its stages count for this request.

    If the task is late, its thread is abandoned and ``work`` is called again with the same task. Raises
    ``OverloadedError`` if the queue of the workers is too long.
    """
    await refuse_overload(service)
    task = service.budgets["ranking"].task()
    return await _Answer(service.threads, partial(work, *args, **kwargs, task=task), task).future


class _Answer(Generic[T]):
    """The pending result of a request. All methods except ``_run`` run in the event loop.

    It outlives the request: the thread of a disconnected client must still be replaced if it hangs.
    """

    def __init__(self, workers: Workers, work: Callable[[], T], task: DeadlineTask | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._workers = workers
        self._work = work
        self._of_request = measured() or StageTimes()
        self._request_id = request_id.get()
        self._times = StageTimes()
        self._timer: asyncio.TimerHandle | None = None
        self.future: asyncio.Future[T] = self._loop.create_future()
        workers.post(partial(self._run, self._times))
        if task is not None:
            self._watch(task)

    def _run(self, times: StageTimes) -> None:
        """Run the work in a worker thread, with stage times of its own: those of an abandoned thread are discarded."""
        request_id.set(self._request_id)
        try:
            with measuring(times):
                made = self._work()
        except AbandonedError:
            raise  # the event loop has already replaced this thread
        except BaseException as error:
            self._tell(partial(self._fail, error))
        else:
            self._tell(partial(self._arrive, made))

    def _tell(self, said: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: no request is waiting
            self._loop.call_soon_threadsafe(said)

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

    def _watch(self, task: DeadlineTask) -> None:
        """Check the deadline again once it may have passed."""
        wait_s = task.wait_s()
        if wait_s > 0:
            self._timer = self._loop.call_later(wait_s, self._watch, task)
        elif task.abandon():
            self._of_request.add_all(self._times)
            self._times = StageTimes()
            self._workers.stand_in(None if self.future.done() else partial(self._run, self._times))
