"""Accept interactions that another process applies to the users' states: check, make durable, acknowledge.

Commit order (a crash after any step loses nothing; an event sent again counts once, where it is applied):
  1. check every event; refuse the bad ones before anything is written
  2. append to the event log  — durable; from here on the event counts
  3. acknowledge to the caller
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from gars.application.events.ingest import Batch, Receipt, batch_refusal, conflict
from gars.application.ports import Clock, EventLog
from gars.domain.errors import GarsError
from gars.domain.interaction import Interaction


def _ignore(_batch: Batch, _error: GarsError) -> None:
    """Ignore a refused batch."""


class Accept:
    """Counterpart of ``Ingest`` for a log that other processes apply. One thread at a time.

    Args:
        refused: called with each refused batch and its error, after the good ones are durable; must not raise.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        clock: Clock,
        known_anime: Container[int],
        refused: Callable[[Batch, GarsError], None] = _ignore,
    ) -> None:
        self._log = log
        self._clock = clock
        self.known_anime = known_anime
        """The catalogue that events are checked against; replaced with the model."""
        self._refused = refused

    def group(self, batches: Sequence[Batch]) -> list[Receipt | GarsError]:
        """Accept many callers' batches with one write; each is accepted or refused by itself. → one outcome a batch

        Receipts have no versions, which are known only where the events are applied.

        Raises:
            StorageError: not all of it is durable; sending the batches again is safe.
        """
        now = self._clock.now()
        outcomes = [
            batch_refusal(batch, now, self.known_anime) or conflict(batch, {}, now) or _receipt(batch)
            for batch in batches
        ]
        events = [
            event
            for batch, outcome in zip(batches, outcomes, strict=True)
            if isinstance(outcome, Receipt)
            for event in _distinct(batch)
        ]
        if events:
            self._log.append(events)
        for batch, outcome in zip(batches, outcomes, strict=True):
            if isinstance(outcome, GarsError):
                self._refused(batch, outcome)
        return outcomes


def _receipt(batch: Batch) -> Receipt:
    accepted = tuple(event.event_id for event in _distinct(batch))
    return Receipt(accepted, len(batch) - len(accepted), {})


def _distinct(batch: Batch) -> list[Interaction]:
    """Return the first event of each user and id, in order."""
    found: dict[tuple[str, str], Interaction] = {}
    for event in batch:
        found.setdefault((event.user_id, event.event_id), event)
    return list(found.values())
