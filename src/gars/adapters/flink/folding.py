"""Apply one record to a user's state: the domain computes it; this module collects the outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gars.adapters.flink.records import Forget, Record, TrendMove, Unreadable, Write, read
from gars.application.ports import Change
from gars.domain import trending, user_state
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState
from gars.runtime import tracing


class Folded(NamedTuple):
    """Result of a record. ``state`` is the new keyed state, ``None`` to delete it."""

    state: bytes | None
    write: Write | None = None
    moves: tuple[TrendMove, ...] = ()
    """Changes to the trending counters."""
    reason: str | None = None
    """Reason for the dead letter, if the record cannot be used."""


def fold(current: bytes | None, record: Record, read_stored: Callable[[str], bytes | None]) -> Folded:
    """Apply a record to the keyed state.

    ``stored`` reads the state of a user without one: a history from a data set, or the state of an earlier job.
    """
    message = read(record)
    match message:
        case Unreadable(reason):
            return Folded(current, reason=reason)
        case Forget(user_id):
            return Folded(None, Write(user_id, 0, None, record.log_offset), _taken_back(current))
        case event:
            return _apply(current if current is not None else read_stored(event.user_id), event, record)


def spanning_record(record: Record, topic: str) -> tracing.during:
    """Record the block as the processing of a record, if a trace continues in it."""
    about = {"messaging.system": "kafka", "messaging.destination.name": topic, "messaging.operation.name": "process"}
    parent = {tracing.TRACEPARENT: record.traceparent} if record.traceparent else {}
    return tracing.spanning(f"{topic} process", "consumer", parent=parent, attributes=about)


def _apply(before: bytes | None, event: Interaction, record: Record) -> Folded:
    old = UserState(user_id=event.user_id) if before is None else user_state.decode(before)
    new = user_state.apply(old, event)
    if new is old:
        # a repeated event. Write its state again: the first attempt may have failed after the state was kept
        reason = f"event_id {event.event_id!r} was used before for another event of this user"
        write = _write(old, before or user_state.encode(old), record)
        return Folded(before, write, reason=reason if user_state.contradicts(old, event) else None)
    change = Change(event.user_id, new.version, event.event_id, event.kind.value, event.anime_id, record.time_ms)
    encoded = user_state.encode(new)
    return Folded(encoded, _write(new, encoded, record, change), _moves(old, new, event.anime_id))


def _write(state: UserState, encoded: bytes, record: Record, *changes: Change) -> Write:
    return Write(state.user_id, state.version, encoded, record.log_offset, changes)


def _moves(before: UserState, after: UserState, anime_id: int) -> tuple[TrendMove, ...]:
    return tuple(TrendMove(anime_id, bucket, by) for bucket, by in trending.moves(before, after, anime_id).items())


def _taken_back(current: bytes | None) -> tuple[TrendMove, ...]:
    """Return the trend changes that remove a deleted user's contributions."""
    if current is None:
        return ()
    state = user_state.decode(current)
    nothing = UserState(user_id=state.user_id)
    anime_ids = sorted({*state.opinions, *(click.anime_id for click in state.clicks)})
    return tuple(move for anime_id in anime_ids for move in _moves(state, nothing, anime_id))
