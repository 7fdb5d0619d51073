"""Ingest interactions: check, make durable, update the users' states, publish the changes.

Commit order (a crash after any step loses nothing and doubles nothing):
  1. check every event; refuse the bad ones before anything is written
  2. append to the event log            — durable; from here on the event counts
  3. apply to the user states and store — replayed from the log after a crash between 2 and 3
  4. publish the change                 — best effort
  5. acknowledge to the caller
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from gars.application.events.recover import recover
from gars.application.ports import APPLIED_OFFSET, Change, ChangeFeed, Clock, LocalEventLog, StateStore
from gars.domain import user_state
from gars.domain.errors import EventConflictError, GarsError, InvalidInputError, UnknownAnimeError
from gars.domain.interaction import Interaction, check, has_same_content
from gars.domain.user_state import UserState

MAX_BATCH = 1000
"""Maximum number of events in a batch, so that other callers do not wait long."""

Batch = Sequence[Interaction]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Result of a batch: ids of new events, number of duplicates, version of each user's state."""

    accepted: tuple[str, ...]
    duplicates: int
    versions: dict[str, int]


def refusal(event: Interaction, now: datetime, known_anime: Container[int]) -> InvalidInputError | None:
    """Return the error of one event, or ``None``: for callers that keep the rest of a batch."""
    try:
        check(event, now)
    except InvalidInputError as error:
        return error
    return None if event.anime_id in known_anime else UnknownAnimeError([event.anime_id])


def at_index(number: int, error: InvalidInputError) -> InvalidInputError:
    """Return the error with the index of its event in the batch."""
    return InvalidInputError(f"events[{number}]: {error.message}", hint=error.hint)


def batch_refusal(batch: Batch, now: datetime, known_anime: Container[int]) -> GarsError | None:
    """Return the error that refuses a whole batch, or ``None``."""
    if len(batch) > MAX_BATCH:
        return InvalidInputError(
            f"a batch takes at most {MAX_BATCH} events, got {len(batch)}", hint="send several batches"
        )
    for number, event in enumerate(batch):
        try:
            check(event, now)
        except InvalidInputError as error:
            return at_index(number, error) if len(batch) > 1 else error
    unknown = sorted({event.anime_id for event in batch if event.anime_id not in known_anime})
    return UnknownAnimeError(unknown) if unknown else None


def conflict(batch: Batch, known: dict[tuple[str, str], Interaction], now: datetime) -> EventConflictError | None:
    """Return the error of a batch that contradicts earlier events of the same users and ids, or add it to ``known``."""
    own: dict[tuple[str, str], Interaction] = {}
    wrong: dict[int, str] = {}
    for number, event in enumerate(batch):
        key = event.user_id, event.event_id
        held = known.get(key) or own.setdefault(key, event)
        if held is not event and not has_same_content(held, event, now):
            wrong[number] = event.event_id
    if wrong:
        return EventConflictError(wrong)
    known.update(own)
    return None


def _no_crash(_step: int) -> None:
    """Do nothing; tests pass a function that simulates a crash."""


class Ingest:
    """The use case behind ``POST /interactions`` and ``POST /clicks``. One thread at a time."""

    def __init__(
        self,
        *,
        log: LocalEventLog,
        states: StateStore,
        feed: ChangeFeed,
        clock: Clock,
        known_anime: Container[int],
        after_step: Callable[[int], None] = _no_crash,
    ) -> None:
        self._log = log
        self._states = states
        self._feed = feed
        self._clock = clock
        self.known_anime = known_anime
        """The catalogue that events are checked against; replaced with the model."""
        self._after_step = after_step
        self._behind = False

    def __call__(self, events: Batch) -> Receipt:
        """Accept one batch, all or nothing.

        Raises:
            InvalidInputError: an event is malformed, its time is impossible, or the batch is too long.
            UnknownAnimeError: an anime is not in the catalogue.
            EventConflictError: an event has the id of another event of its user.
            StorageError: the log or the state store failed; sending the batch again is safe.
        """
        (outcome,) = self.group([events])
        if isinstance(outcome, GarsError):
            raise outcome
        return outcome

    def group(self, batches: Sequence[Batch]) -> list[Receipt | GarsError]:
        """Accept many callers' batches with one commit; each is accepted or refused by itself. → one outcome a batch

        Raises:
            StorageError: the log or the state store failed; sending the batches again is safe.
        """
        now = self._clock.now()
        refused = [batch_refusal(batch, now, self.known_anime) for batch in batches]
        known = self._log.find(
            [event for batch, why in zip(batches, refused, strict=True) if not why for event in batch]
        )
        refused = [why or conflict(batch, known, now) for batch, why in zip(batches, refused, strict=True)]
        good = [batch for batch, why in zip(batches, refused, strict=True) if why is None]
        self._after_step(1)

        self._catch_up()
        events = [event for batch in good for event in batch]
        # from here until the states are stored a failure leaves them behind the log
        self._behind = bool(events)
        offsets = self._log.append(events) if events else []
        self._after_step(2)

        fresh = [event for event, offset in zip(events, offsets, strict=True) if offset is not None]
        changes = self._apply(fresh, max((offset for offset in offsets if offset is not None), default=None), now)
        self._behind = False
        self._after_step(3)

        self._feed.publish(changes)
        self._after_step(4)

        receipts = iter(self._receipts(good, offsets))
        return [why or next(receipts) for why in refused]

    def _catch_up(self) -> None:
        """Apply events that an earlier failure between the steps 2 and 3 left unapplied."""
        if self._behind:
            recover(self._log, self._states)
            self._behind = False

    def _apply(self, events: Sequence[Interaction], applied: int | None, now: datetime) -> list[Change]:
        """Step 3: fold the events into their users' states and store them with the applied offset of the log."""
        if applied is None:
            return []
        accepted_ms = round(now.timestamp() * 1000)
        states: dict[str, UserState] = {}
        changes: list[Change] = []
        for event, state in user_state.fold_users(events, self._states.get):
            states[event.user_id] = state
            changes.append(
                Change(event.user_id, state.version, event.event_id, event.kind.value, event.anime_id, accepted_ms)
            )
        self._states.put(list(states.values()), checkpoints={APPLIED_OFFSET: str(applied)})
        return changes

    def _receipts(self, batches: Sequence[Batch], offsets: Sequence[int | None]) -> list[Receipt]:
        receipts: list[Receipt] = []
        start = 0
        for batch in batches:
            own = offsets[start : start + len(batch)]
            start += len(batch)
            accepted = tuple(event.event_id for event, offset in zip(batch, own, strict=True) if offset is not None)
            versions = {user_id: self._version(user_id) for user_id in dict.fromkeys(event.user_id for event in batch)}
            receipts.append(Receipt(accepted, len(batch) - len(accepted), versions))
        return receipts

    def _version(self, user_id: str) -> int:
        state = self._states.get(user_id)
        return state.version if state else 0
