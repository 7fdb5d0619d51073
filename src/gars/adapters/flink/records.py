"""Input and output values of the job, independent of Flink so that they can be tested without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from gars.application.ports import Change
from gars.domain.interaction import Interaction

EVENT, FORGET = "event", "forget"


class Record(NamedTuple):
    """One record of the interactions topic. ``kind`` is its header of that name."""

    kind: str | None
    key: bytes | None
    value: bytes | None
    partition: int
    offset: int
    time_ms: int
    """Timestamp of the producer: the time the event was accepted."""
    traceparent: str | None = None
    """Its header of that name: the trace of the request that sent it."""

    @property
    def log_offset(self) -> int:
        """Return the offset as ``EventLog.append`` counts it, from 1."""
        return self.offset + 1


class Forget(NamedTuple):
    """Deletion of a user: earlier records of the user in this partition are void."""

    user_id: str


class Unreadable(NamedTuple):
    """A record that cannot be used, and the reason."""

    reason: str


class Write(NamedTuple):
    """A write to the state store: a user's newest state, or its deletion."""

    user_id: str
    version: int
    state: bytes | None
    """Encoded state; ``None`` deletes the stored one."""
    offset: int
    """Offset of the record, as the event log counts."""
    changes: tuple[Change, ...] = ()


class TrendMove(NamedTuple):
    """Change to a trending counter."""

    anime_id: int
    bucket: int
    by: float


class TrendWeight(NamedTuple):
    """Value of a trending counter."""

    anime_id: int
    bucket: int
    weight: float


class OnlineStore(Protocol):
    """The online store as used by the job. Every write may be repeated and may come late."""

    def write(self, write: Write) -> None:
        """Store a state, never decreasing its version, and publish its changes; raises ``StorageError``."""
        ...

    def read(self, user_id: str) -> bytes | None:
        """Return the stored state of a user without keyed state; raises ``StorageError``."""
        ...

    def write_trends(self, weights: Sequence[TrendWeight]) -> None:
        """Set counters to their values; raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


_decoder = msgspec.msgpack.Decoder(Interaction)


def read(record: Record) -> Interaction | Forget | Unreadable:
    """Decode a record. A record without the header is an event."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        return Unreadable("the key is not UTF-8")
    if not key:
        return Unreadable("there is no key: the record belongs to no user")
    kind = record.kind or EVENT
    if kind == FORGET:
        return Forget(key)
    if kind != EVENT:
        return Unreadable(f"the header kind is {kind!r}, not {EVENT!r} or {FORGET!r}")
    return _event(key, record.value)


def _event(key: str, value: bytes | None) -> Interaction | Unreadable:
    if not value:
        return Unreadable("the record is empty")
    try:
        event = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unreadable(f"the value is no interaction: {error}")
    if event.user_id != key:
        return Unreadable(f"the key is {key!r} but the event is of user {event.user_id!r}")
    if event.event_time.tzinfo is None:
        return Unreadable("event_time has no time zone")
    return event
