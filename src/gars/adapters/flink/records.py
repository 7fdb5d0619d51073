"""What the job reads and writes, as plain values: no Flink in here, so that it is tested without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from gars.application.ports import Change
from gars.domain.interaction import Interaction

EVENT, FORGET = "event", "forget"


class Record(NamedTuple):
    """One record of the interactions' topic as Kafka has it. ``kind`` is its header of that name."""

    kind: str | None
    key: bytes | None
    value: bytes | None
    partition: int
    offset: int
    time_ms: int
    """The producer's time: the moment the event was accepted."""

    @property
    def log_offset(self) -> int:
        """As ``EventLog.append`` counts: from 1."""
        return self.offset + 1


class Forget(NamedTuple):
    """A user is forgotten: what is before this record in its partition never happened."""

    user_id: str


class Unreadable(NamedTuple):
    """A record that no state can take, and why."""

    reason: str


class Write(NamedTuple):
    """What goes to the state store: a user's newest state, or that there is none any more."""

    user_id: str
    version: int
    state: bytes | None
    """The state's codec bytes; ``None`` deletes what is there."""
    offset: int
    """Of the record this comes from, as the event log counts."""
    changes: tuple[Change, ...] = ()


class TrendMove(NamedTuple):
    """What an event changes in the trending counters."""

    anime_id: int
    bucket: int
    by: float


class TrendWeight(NamedTuple):
    """What a trending counter stands at."""

    anime_id: int
    bucket: int
    weight: float


class OnlineStore(Protocol):
    """The online store as the job sees it. Every write may be repeated and may come late."""

    def write(self, write: Write) -> None:
        """Keep a state, never moving a version back, and tell the listeners; raises ``StorageError``."""
        ...

    def read(self, user_id: str) -> bytes | None:
        """What is kept of a user the job has not met; raises ``StorageError``."""
        ...

    def write_trends(self, weights: Sequence[TrendWeight]) -> None:
        """Set counters to where they stand; raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


_decoder = msgspec.msgpack.Decoder(Interaction)


def read(record: Record) -> Interaction | Forget | Unreadable:
    """What a record says. A record without the header is an event."""
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
