"""Copy the log to stores that are read by user: the event history, and the lists that were shown.

Commit order (a crash after any step loses nothing and doubles nothing: writing again changes nothing):
  1. take a batch from the stream         — unreadable records go to the dead letters there
  2. write it, with deletions in order    — retried until it works
  3. commit the stream                    — only then the batch is not delivered again
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gars.application.ports import EventHistory, ImpressionLog, Logged, Tombstones
from gars.domain.impression import Impression
from gars.domain.interaction import Interaction


class EventStream(Protocol):
    """A log as a consumer reads it, with at-least-once delivery."""

    def poll(self) -> tuple[list[Logged], list[Impression]]:
        """Return the next records, each user's in order; empty lists if there are none in time."""
        ...

    def commit(self) -> None:
        """Mark all polled records as processed; after a ``StorageError`` they are delivered again."""
        ...


class WritableHistory(EventHistory, Protocol):
    """The write interface of the event history."""

    def keep(self, events: Sequence[tuple[int, Interaction]]) -> None:
        """Write events with their offsets; again changes nothing. Raises ``StorageError``."""
        ...


class WritableImpressions(ImpressionLog, Protocol):
    """The write interface of the shown lists."""

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
        """Process one batch. → its number of records

        Raises:
            StorageError: it is not (wholly) written, or not committed; the next step continues there.
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
            self._history.keep(waiting)  # events before the deletion must not be written after it
            waiting = []
            self._history.forget(record.user_id, up_to=record.offset)
            stone = self._tombstones.find(record.user_id)
            if stone is not None:
                self._impressions.forget(record.user_id, up_to_ms=stone.time_ms)
        self._history.keep(waiting)

    def _write_impressions(self, impressions: Sequence[Impression]) -> None:
        """Write impressions, except late ones from before their user was forgotten."""
        stones = {user_id: self._tombstones.find(user_id) for user_id in {one.user_id for one in impressions}}
        self._impressions.keep(
            [(0, one) for one in impressions if (stone := stones[one.user_id]) is None or one.time_ms > stone.time_ms]
        )
