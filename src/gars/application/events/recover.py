"""Bring the states that are behind the event log up to it: after a crash, and after a failed write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from gars.application.ports import APPLIED_OFFSET, REBUILT_OFFSET, REBUILT_USER, LocalEventLog, StateStore
from gars.domain import user_state
from gars.domain.errors import StorageError
from gars.domain.interaction import Interaction

_BATCH = 1000


def recover(log: LocalEventLog, states: StateStore, *, batch: int = _BATCH) -> int:
    """Replay the events after the state store's checkpoint. → how many events were replayed.

    States and checkpoint move together, so a crash in the middle replays nothing twice.

    Raises:
        StorageError: the log or the store failed, or the states are ahead of the log.
    """
    applied = applied_offset(states)
    _refuse_newer(applied, log)
    return _replay(log.read(after=applied), states, APPLIED_OFFSET, batch)


def recover_users(log: LocalEventLog, states: StateStore) -> int:
    """Replay the events that the users up to ``REBUILT_USER`` lack, after a crash in a rebuild. → how many

    Raises:
        StorageError: the log or the store failed, or the states are ahead of the log.
    """
    user = states.checkpoint(REBUILT_USER) or ""
    rebuilt = int(states.checkpoint(REBUILT_OFFSET) or 0)
    _refuse_newer(rebuilt, log)
    events = ((offset, event) for offset, event in log.read(after=rebuilt) if event.user_id <= user)
    return _replay(events, states, REBUILT_OFFSET, _BATCH)


def _refuse_newer(applied: int, log: LocalEventLog) -> None:
    """Raise if the states hold events that the log does not have."""
    newest = log.last_offset()
    if applied > newest:
        raise StorageError(
            f"the states hold {applied - newest} event(s) that the event log does not: it ends at {newest}",
            hint="the log was replaced by an older one: restore the newer one, or move the state store away",
        )


def _replay(events: Iterator[tuple[int, Interaction]], states: StateStore, checkpoint: str, batch: int) -> int:
    """Fold events into the states, each batch with the checkpoint of its last offset."""
    replayed = 0
    while chunk := list(islice(events, batch)):
        folded = user_state.fold_users((event for _, event in chunk), states.get)
        changed = {event.user_id: state for event, state in folded}
        states.put(list(changed.values()), checkpoints={checkpoint: str(chunk[-1][0])})
        replayed += len(chunk)
    return replayed


def applied_offset(states: StateStore) -> int:
    """Offset up to which the states hold every event of the log."""
    return int(states.checkpoint(APPLIED_OFFSET) or 0)


def applied_offsets(states: StateStore) -> Callable[[str], int]:
    """Return a function of a user: the offset up to which their state holds every event, also within a rebuild."""
    of_all = applied_offset(states)
    user = states.checkpoint(REBUILT_USER)
    if not user:
        return lambda _: of_all
    rebuilt = int(states.checkpoint(REBUILT_OFFSET) or 0)
    return lambda user_id: rebuilt if user_id <= user else of_all
