"""Bring what is in the log to where it can be found by user: the history, and the lists that were shown.

Commit order (a crash after any step loses nothing and doubles nothing: writing again changes nothing):
  1. take a batch from the stream      — what nobody can read goes to the dead letters there
  2. write it, forgets in their place  — retried until it works
  3. commit the stream                 — only now the batch does not come again
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gars.application.ports import EventHistory, ImpressionLog, Logged, Tombstones
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction


class EventStream(Protocol):
    """A log as a worker follows it: at least once."""

    def poll(self) -> tuple[list[Logged], list[Impression]]:
        """What came next, each user's records in order; empty lists if nothing came in time."""
        ...

    def commit(self) -> None:
        """Everything polled so far is done with; raises ``StorageError``: then it comes again."""
        ...


class WritableHistory(EventHistory, Protocol):
    """A history as the worker sees it."""

    def keep(self, events: Sequence[tuple[int, Interaction]]) -> None:
        """Write events with their offsets; again changes nothing. Raises ``StorageError``."""
        ...


class WritableImpressions(ImpressionLog, Protocol):
    """Shown lists as the worker sees them."""

    def keep(self, impressions: Sequence[tuple[int, Impression]]) -> None:
        """Write impressions under numbers; again changes nothing. Raises ``StorageError``."""
        ...


class KeepHistory:
    """The use case behind ``gars worker history``. One thread."""

    def __init__(
        self, *, stream: EventStream, history: WritableHistory, impressions: WritableImpressions, tombstones: Tombstones
    ) -> None:
        self._stream = stream
        self._history = history
        self._impressions = impressions
        self._tombstones = tombstones
        self._batch: tuple[list[Logged], list[Impression]] | None = None
        self.kept = 0
        """Events and impressions written since the start."""

    def step(self) -> int:
        """One batch. → how many records it held.

        Raises:
            StorageError: it is not (wholly) written, or not committed; the next step goes on where this one stopped.
        """
        if self._batch is None:
            self._batch = self._stream.poll()
        events, impressions = self._batch
        self._write_events(events)
        self._write_impressions(impressions)
        self._batch = None  # written: if the commit fails it comes again, which changes nothing
        count = len(events) + len(impressions)
        if count:
            self._stream.commit()
        self.kept += count
        return count

    def _write_events(self, records: Sequence[Logged]) -> None:
        waiting: list[tuple[int, Interaction]] = []
        for record in records:
            if record.event is not None:
                waiting.append((record.offset, record.event))
                continue
            self._history.keep(waiting)  # what came before the forget must not be written after it
            waiting = []
            self._history.forget(record.user_id, up_to=record.offset)
            stone = self._tombstones.find(record.user_id)
            if stone is not None:
                self._impressions.forget(record.user_id, up_to_ms=stone.time_ms)
        self._history.keep(waiting)

    def _write_impressions(self, impressions: Sequence[Impression]) -> None:
        """Those shown before their user was forgotten are not kept, however late they come."""
        stones = {user_id: self._tombstones.find(user_id) for user_id in {one.user_id for one in impressions}}
        self._impressions.keep(
            [(0, one) for one in impressions if (stone := stones[one.user_id]) is None or one.time_ms > stone.time_ms]
        )
