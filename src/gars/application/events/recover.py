"""Bring the states that are behind the event log up to it: after a crash, and after a failed write."""

from __future__ import annotations

from itertools import islice

from gars.application.ports import APPLIED_OFFSET, LocalEventLog, StateStore
from gars.domain import user_state
from gars.domain.errors import StorageError


def recover(log: LocalEventLog, states: StateStore, *, batch: int = 1000) -> int:
    """Replay the events after the state store's checkpoint. → how many events were replayed.

    States and checkpoint move together, so a crash in the middle replays nothing twice.

    Raises:
        StorageError: the log or the store failed, or the states are ahead of the log.
    """
    applied = applied_offset(states)
    newest = log.last_offset()
    if applied > newest:
        raise StorageError(
            f"the states hold {applied - newest} event(s) that the event log does not: it ends at {newest}",
            hint="the log was replaced by an older one: restore the newer one, or move the state store away",
        )
    replayed = 0
    events = log.read(after=applied)
    while chunk := list(islice(events, batch)):
        folded = user_state.fold_users((event for _, event in chunk), states.get)
        changed = {event.user_id: state for event, state in folded}
        states.put(list(changed.values()), checkpoints={APPLIED_OFFSET: str(chunk[-1][0])})
        replayed += len(chunk)
    return replayed


def applied_offset(states: StateStore) -> int:
    """Offset up to which the states hold every event of the log."""
    return int(states.checkpoint(APPLIED_OFFSET) or 0)
