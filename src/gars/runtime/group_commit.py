"""One thread that processes queued entries in groups, in order.

While it works on one group the next one gathers, so the cost of a group (a sync to disk) is shared by the entries that
arrive during the write (group commit: DeWitt et al., "Implementation techniques for main memory database systems",
1984).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from gars.domain.errors import StorageError

T = TypeVar("T")
E = TypeVar("E")


def uncancellable() -> Future[T]:
    """Return a future that cannot be cancelled: a write that has begun goes on without its caller."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future


class _Task(Generic[T]):
    """Another function to run, in order."""

    def __init__(self, run: Callable[[], T]) -> None:
        self.run = run
        self.future: Future[T] = uncancellable()


class _End:
    """The last entry of the queue."""


class GroupCommitThread(Generic[E]):
    """Passes groups of entries to ``work``, in a thread of its own; ``submit`` and ``call`` are for any thread.

    ``work`` must not raise. A group ends when its sizes add up to ``max_group``; entries beyond ``max_waiting`` are
    refused. If no caller waits for the result, a group may gather for ``gather_s`` seconds first: ``submit`` then need
    not wake this thread, which costs more than the entry does. ``call`` ends the wait.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[E]], None],
        *,
        max_group: int,
        max_waiting: int,
        gather_s: float = 0,
        size: Callable[[E], int] = lambda _: 1,
    ) -> None:
        self._work = work
        self._max_group = max_group
        self._max_waiting = max_waiting
        self._gather_s = gather_s
        self._hurry = threading.Event()
        self._size = size
        self._inbox: queue.SimpleQueue[E | _Task[object] | _End] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of queued entries."""
        return self._inbox.qsize()

    def submit(self, entry: E) -> None:
        """Queue an entry; raises ``StorageError`` if too many wait or the thread has been stopped."""
        with self._lock:
            self._refuse_closed()
            if self._inbox.qsize() >= self._max_waiting:
                raise StorageError(
                    f"{self._max_waiting} requests are waiting for the disk", hint="send it again in a second"
                )
            self._inbox.put(entry)

    def call(self, run: Callable[[], T]) -> Future[T]:
        """Run a function after all entries queued before it; raises ``StorageError`` if the thread has been stopped."""
        task = _Task(run)
        with self._lock:
            self._refuse_closed()
            self._inbox.put(task)  # type: ignore[arg-type]  # Future is invariant; only ``run``'s own result goes in
        self._hurry.set()
        return task.future

    def close(self) -> None:
        """Process the queue, then stop; later entries are refused."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._inbox.put(_End())
        self._hurry.set()
        self._thread.join()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageError("the service is stopping", hint="send it again when it is back")

    def _run(self) -> None:
        entry = self._inbox.get()
        while not isinstance(entry, _End):
            if isinstance(entry, _Task):
                _answer(entry)
                entry = self._inbox.get()
            else:
                entry = self._group_from(entry)

    def _group_from(self, first: E) -> E | _Task[object] | _End:
        """Process ``first`` and the entries queued behind it. → the next entry"""
        if self._gather_s and self._inbox.qsize() < self._max_group:
            self._hurry.wait(self._gather_s)
            self._hurry.clear()  # what was queued before it was set is taken below
        group, size = [first], self._size(first)
        following: E | _Task[object] | _End | None = None
        while size < self._max_group and following is None:
            try:
                entry = self._inbox.get_nowait()
            except queue.Empty:
                break
            if isinstance(entry, (_Task, _End)):
                following = entry
            else:
                group.append(entry)
                size += self._size(entry)
        self._work(group)
        return self._inbox.get() if following is None else following


def _answer(task: _Task[object]) -> None:
    try:
        task.future.set_result(task.run())
    except Exception as error:  # the caller's to handle
        task.future.set_exception(error)
