"""The one thread that writes: takes what waits, commits it as a group, answers every caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from gars.application.group_thread import GroupThread, uncancellable
from gars.application.ingest import Batch, Receipt
from gars.domain.errors import GarsError, StorageError

T = TypeVar("T")

MAX_GROUP = 2000
"""Events in one commit; keeps the wait of the first in the group short."""
MAX_WAITING = 10_000
"""Batches that may wait; beyond it callers are told to come back."""


class TakesGroups(Protocol):
    """``Ingest``, or ``Accept`` where another process applies the events."""

    def group(self, batches: Sequence[Batch]) -> list[Receipt | GarsError]:
        """Take many callers' batches with one commit. → one outcome a batch; raises ``StorageError``."""
        ...


class _Waiting:
    """A batch and who waits for its receipt."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.future: Future[Receipt] = uncancellable()


class Writer:
    """Serialises every change of the log and the states; ``submit`` and ``call`` are for any thread."""

    def __init__(self, ingest: TakesGroups) -> None:
        self._ingest = ingest
        self.last_error: StorageError | None = None
        """Why the latest commit failed; ``None`` after one that did not."""
        self.accepted = 0
        """Events made durable since the start."""
        self.duplicates = 0
        """Events since the start that were there already."""
        self._thread: GroupThread[_Waiting] = GroupThread(
            "gars-writer",
            self._commit,
            max_group=MAX_GROUP,
            max_waiting=MAX_WAITING,
            size=lambda waiting: len(waiting.batch),
        )

    @property
    def waiting(self) -> int:
        """How many batches wait for the disk."""
        return self._thread.waiting

    def submit(self, batch: Batch) -> Future[Receipt]:
        """Queue a batch; the future holds the receipt once it is durable, or the error that refused it."""
        waiting = _Waiting(batch)
        self._thread.submit(waiting)
        return waiting.future

    def call(self, run: Callable[[], T]) -> Future[T]:
        """Run something else that changes log or states, in turn, such as forgetting a user."""
        return self._thread.call(run)

    def close(self) -> None:
        """Finish what waits, then stop; later submissions are refused."""
        self._thread.close()

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
                self.accepted += len(outcome.accepted)
                self.duplicates += outcome.duplicates
                waiting.future.set_result(outcome)
