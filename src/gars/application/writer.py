"""The one thread that writes: takes what waits, commits it as a group, answers every caller.

While one group is being synced to disk the next one gathers, so the cost of a sync is shared by whoever came
meanwhile (group commit: DeWitt et al., "Implementation techniques for main memory database systems", 1984).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from gars.application.ingest import Batch, Ingest, Receipt
from gars.domain.errors import GarsError, StorageError

T = TypeVar("T")

MAX_GROUP = 2000
"""Events in one commit; keeps the wait of the first in the group short."""
MAX_WAITING = 10_000
"""Batches that may wait; beyond it callers are told to come back."""


def _uncancellable() -> Future[T]:
    """A caller that goes away does not stop what is already on its way to the disk."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future


class _Task(Generic[T]):
    """Work for the writer thread other than events, such as forgetting a user."""

    def __init__(self, run: Callable[[], T]) -> None:
        self.run = run
        self.future: Future[T] = _uncancellable()


class _Waiting:
    """A batch and who waits for its receipt."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.future: Future[Receipt] = _uncancellable()


class Writer:
    """Serialises every change of the log and the states; ``submit`` and ``call`` are for any thread."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._inbox: queue.Queue[_Waiting | _Task[object] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._closed = False
        self.last_error: StorageError | None = None
        """Why the latest commit failed; ``None`` after one that did not."""
        self._thread = threading.Thread(target=self._run, name="gars-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> Future[Receipt]:
        """Queue a batch; the future holds the receipt once it is durable, or the error that refused it."""
        waiting = _Waiting(batch)
        self._enqueue(waiting)
        return waiting.future

    def call(self, run: Callable[[], T]) -> Future[T]:
        """Run something else that changes log or states, in turn."""
        task = _Task(run)
        self._enqueue(task)
        return task.future

    def close(self) -> None:
        """Finish what waits, then stop; later submissions are refused."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._inbox.put(None)
        self._thread.join()

    def _enqueue(self, entry: _Waiting | _Task[T]) -> None:
        with self._lock:
            if self._closed:
                raise StorageError("the service is stopping", hint="send it again when it is back")
            if self._inbox.qsize() >= MAX_WAITING:
                raise StorageError(f"{MAX_WAITING} batches are waiting for the disk", hint="send it again in a second")
            self._inbox.put(entry)  # type: ignore[arg-type]  # Future is invariant; only ``run``'s own result goes in

    def _run(self) -> None:
        entry = self._inbox.get()
        while entry is not None:
            if isinstance(entry, _Task):
                _answer(entry)
                entry = self._inbox.get()
            else:
                entry = self._commit_from(entry)

    def _commit_from(self, first: _Waiting) -> _Waiting | _Task[object] | None:
        """Commit ``first`` and the batches that wait behind it. → the entry that comes next."""
        group, size = [first], len(first.batch)
        following: _Waiting | _Task[object] | None = None
        ended = False
        while size < MAX_GROUP:
            try:
                following = self._inbox.get_nowait()
            except queue.Empty:
                break
            if not isinstance(following, _Waiting):
                ended = True
                break
            group.append(following)
            size += len(following.batch)
        self._commit(group)
        return following if ended else self._inbox.get()

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._ingest.group([waiting.batch for waiting in group])
        except Exception as error:  # whatever it was, every caller must hear of it
            self.last_error = error if isinstance(error, StorageError) else StorageError(f"cannot commit: {error!r}")
            for waiting in group:
                waiting.future.set_exception(error)
            return
        self.last_error = None
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, GarsError):
                waiting.future.set_exception(outcome)
            else:
                waiting.future.set_result(outcome)


def _answer(task: _Task[object]) -> None:
    try:
        task.future.set_result(task.run())
    except Exception as error:  # the caller's to handle
        task.future.set_exception(error)
