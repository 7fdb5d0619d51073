"""Delete all data of a user, so that neither a replay nor an old copy restores them.

Order (after a crash the next start, or asking again, completes the deletion):
  1. set a tombstone: the offset of the log at the deletion   — durable, in a file of its own
  2. delete the state
  3. delete the events
  4. delete the impressions
  5. mark the tombstone as settled
The tombstone takes an offset of the log for itself, so that any copy made before it is known to be older.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from gars.application.events.recover import applied_offset, applied_offsets
from gars.application.ports import (
    APPLIED_OFFSET,
    Clock,
    EventHistory,
    EventLog,
    ImpressionLog,
    LocalEventLog,
    StateStore,
    Tombstone,
    Tombstones,
)
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState

logger = logging.getLogger(__name__)

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Counts of the deleted data."""

    events: int
    state: bool
    impressions: int = 0


def _no_crash(_step: int) -> None:
    """Do nothing; tests pass a function that simulates a crash."""


class ForgetUser:
    """The use case behind ``DELETE /users/{id}``. Run it in the thread that writes."""

    def __init__(
        self,
        *,
        log: EventLog,
        history: EventHistory,
        states: StateStore,
        tombstones: Tombstones,
        forget_impressions: Callable[[str], int],
        clock: Clock,
        after_step: Callable[[int], None] = _no_crash,
    ) -> None:
        self._log = log
        self._history = history
        self._states = states
        self._tombstones = tombstones
        self._forget_impressions = forget_impressions
        self._clock = clock
        self._after_step = after_step

    def __call__(self, user_id: str) -> Forgotten:
        """Delete the user; asking twice is harmless.

        Raises:
            StorageError: rows are left. Asking again deletes them; once the tombstone is set so does the next start.
        """
        stone = Tombstone(offset=self._log.mark_forgotten(user_id), time_ms=round(self._clock.now().timestamp() * 1000))
        self._tombstones.put(user_id, stone)
        self._after_step(1)
        state = self._states.forget(user_id)
        self._after_step(2)
        events = self._history.forget(user_id)
        self._after_step(3)
        impressions = self._forget_impressions(user_id)
        self._after_step(4)
        try:
            if applied_offset(self._states) == stone.offset - 1:
                self._states.put([], checkpoints={APPLIED_OFFSET: str(stone.offset)})
            self._tombstones.settle(user_id)
        except StorageError as error:
            # everything is deleted; the next start looks once more and marks it
            logger.warning("a deleted user could not be marked as deleted, the next start does it: %s", error.message)
        return Forgotten(events=events, state=state, impressions=impressions)


def keep_forgotten(log: LocalEventLog, states: StateStore, tombstones: Tombstones) -> list[str]:
    """Delete again forgotten users whose data are back: after a crash, a backfill, or from an old copy of a file.

    Runs at start, after the backfill and before the replay. Events after the deletion are kept. → ids of deleted users

    Raises:
        StorageError: a store failed.
    """
    applied_to = applied_offsets(states)
    gone: list[str] = []
    for user_id in _all_users(log, states):
        stone = tombstones.find(user_id)
        if stone is None:
            continue
        events = log.forget(user_id, up_to=stone.offset)
        state, applied = states.get(user_id), applied_to(user_id)
        # from before the tombstone: half deleted, out of an old copy, or folded in from the data set
        stale = state is not None and (not stone.settled or applied < stone.offset or state.version == 0)
        if stale:
            states.forget(user_id)
            later = [event for offset, event in log.read_user(user_id) if offset <= applied]
            if later:
                states.put([user_state.fold(UserState(user_id=user_id), later)])
        if events or stale:
            gone.append(user_id)
    tombstones.settle_all()
    return gone


def keep_impressions_forgotten(impressions: ImpressionLog, tombstones: Tombstones) -> int:
    """Delete again impressions from before their user was forgotten. → the number of impressions deleted

    Raises:
        StorageError: a store failed.
    """
    if not tombstones.newest_offset():
        return 0
    found = {user_id: tombstones.find(user_id) for user_id in impressions.users()}
    return sum(
        impressions.forget(user_id, up_to_ms=stone.time_ms) for user_id, stone in found.items() if stone is not None
    )


def is_due(log: LocalEventLog, states: StateStore, tombstones: Tombstones) -> bool:
    """Return whether ``keep_forgotten`` may find something, without a scan of all users."""
    newest = tombstones.newest_offset()
    return tombstones.is_unsettled() or log.last_offset() < newest or applied_offset(states) < newest


def pass_tombstones(log: LocalEventLog, states: StateStore, tombstones: Tombstones) -> None:
    """Advance the log past every tombstone, after the replay: an old copy of the log would reuse covered offsets."""
    newest = tombstones.newest_offset()
    if log.last_offset() < newest:
        log.skip_to(newest)
    if applied_offset(states) < newest:
        states.put([], checkpoints={APPLIED_OFFSET: str(newest)})


def _all_users(log: LocalEventLog, states: StateStore) -> set[str]:
    """Return every user of the states or the log."""
    users = set(log.users())
    after = ""
    while page := states.user_ids(limit=_PAGE, after=after):
        users.update(page)
        after = page[-1]
    return users
