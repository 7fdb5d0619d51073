"""The single writer thread: commits queued batches as a group and answers every caller."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from gars.application.events.ingest import Batch, Receipt
from gars.domain.errors import GarsError, StorageError
from gars.runtime import tracing
from gars.runtime.group_commit import GroupCommitThread, uncancellable

T = TypeVar("T")

MAX_GROUP = 2000
"""Events in one commit; bounds the wait of the first in the group."""
MAX_WAITING = 10_000
"""Capacity of the queue in batches; beyond it callers are asked to retry."""


class TakesGroups(Protocol):
    """Interface of ``Ingest``, and of ``Accept`` where another process applies the events."""

    known_anime: Container[int]
    """The anime that events may be about; replaced with the model."""

    def group(self, batches: Sequence[Batch]) -> list[Receipt | GarsError]:
        """Accept many callers' batches with one commit. → one outcome a batch; raises ``StorageError``."""
        ...


class _Waiting:
    """A batch, the span of its caller, and the future of its receipt."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.span = tracing.current()
        self.future: Future[Receipt] = uncancellable()


class Writer:
    """Serialises every change of the log and the states; ``submit`` and ``call`` are for any thread."""

    def __init__(self, ingest: TakesGroups) -> None:
        self._ingest = ingest
        self.last_error: StorageError | None = None
        """Error of the latest commit; ``None`` after a success."""
        self.accepted = 0
        """Events made durable since the start."""
        self.duplicates = 0
        """Events since the start that were stored already."""
        self._thread: GroupCommitThread[_Waiting] = GroupCommitThread(
            "gars-writer",
            self._commit,
            max_group=MAX_GROUP,
            max_waiting=MAX_WAITING,
            size=lambda waiting: len(waiting.batch),
        )

    @property
    def waiting(self) -> int:
        """Number of queued batches."""
        return self._thread.waiting

    def submit(self, batch: Batch) -> Future[Receipt]:
        """Queue a batch; the future holds the receipt once it is durable, or the error that refused it."""
        waiting = _Waiting(batch)
        self._thread.submit(waiting)
        return waiting.future

    def call(self, run: Callable[[], T]) -> Future[T]:
        """Run a function that changes log or states, in turn, such as the deletion of a user."""
        return self._thread.call(tracing.carrying(run))

    def close(self) -> None:
        """Process the queue, then stop; later submissions are refused."""
        self._thread.close()

    def _commit(self, group: list[_Waiting]) -> None:
        try:
            with tracing.on_behalf_of(_spans(group)):
                outcomes = self._ingest.group([waiting.batch for waiting in group])
        except Exception as error:  # of any kind: every caller gets it
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


def _spans(group: list[_Waiting]) -> dict[Hashable, tracing.Span]:
    """Return the span of the caller of each event, by user and id."""
    return {
        (event.user_id, event.event_id): waiting.span
        for waiting in group
        if waiting.span is not None
        for event in waiting.batch
    }
