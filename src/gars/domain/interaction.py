"""Interactions: what a user did to an anime, as one immutable event."""

from __future__ import annotations

import enum
import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from gars.domain.errors import InvalidInputError

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""Tolerance for events in the future, since clients' clocks are off by up to this."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Events before this are refused: no list service existed, so the time is a unit error or an empty field."""


class Kind(enum.StrEnum):
    """The kinds of events."""

    CLICK = "click"
    RATE = "rate"
    STATUS = "status"
    LIKE = "like"
    DISLIKE = "dislike"
    SEEN = "seen"
    DISMISS = "dismiss"


class Status(enum.StrEnum):
    """Where an anime stands on a user's list."""

    WATCHING = "watching"
    COMPLETED = "completed"
    ON_HOLD = "on_hold"
    DROPPED = "dropped"
    PLANNED = "planned"


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One event. ``user_id`` and ``event_id`` are the idempotence key: the same pair twice is the same event.

    ``value`` is the rating (1–10) of a ``rate``, the status word of a ``status``, else ``None``.
    ``undo`` takes the same kind of event on the same anime back. ``event_time`` is never after ``accepted_ms``.
    """

    event_id: str
    user_id: str
    anime_id: int
    kind: Kind
    event_time: datetime
    value: int | Status | None = None
    undo: bool = False
    request_id: str | None = None
    accepted_ms: int | None = None
    """When the service took the event, by its own clock; ``None`` for events of versions before."""

    @property
    def time_ms(self) -> int:
        """Event time in milliseconds since the Unix epoch."""
        return round(self.event_time.timestamp() * 1000)


def content_id(user_id: str, anime_id: int, kind: str, value: object, undo: bool, time_ms: int) -> str:
    """The event id of a client that sends none: the same content is the same event."""
    content = f"{user_id}\x1f{anime_id}\x1f{kind}\x1f{value}\x1f{int(undo)}\x1f{time_ms}"
    return "h-" + hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def accepted(event: Interaction, now: datetime) -> Interaction:
    """Return the event as taken in now; its time is cut to now where the client's clock is a little ahead.

    A time further ahead stays, and ``check`` refuses it.
    """
    time = event.event_time
    is_ahead = time.tzinfo is not None and now < time <= now + MAX_CLOCK_SKEW
    return msgspec.structs.replace(
        event, event_time=now if is_ahead else time, accepted_ms=round(now.timestamp() * 1000)
    )


def has_same_content(held: Interaction, event: Interaction, now: datetime) -> bool:
    """Return whether an event repeats another one of the same user and id.

    Times are compared only for an event of the past: one of now may have got its time here, another one each attempt.
    """
    if (held.anime_id, held.kind, held.value, held.undo) != (event.anime_id, event.kind, event.value, event.undo):
        return False
    is_past = event.event_time < now - MAX_CLOCK_SKEW
    return not is_past or abs(held.event_time - event.event_time) <= MAX_CLOCK_SKEW


def check(event: Interaction, now: datetime) -> None:
    """Refuse an event no honest client sends.

    Raises:
        InvalidInputError: the value does not fit the kind, or the time is naive, ancient or in the future.
    """
    if not event.user_id or len(event.user_id) > 128:
        raise InvalidInputError("user_id must be 1 to 128 characters", hint="send a stable id of the user")
    if not event.event_id or len(event.event_id) > 128:
        raise InvalidInputError("event_id must be 1 to 128 characters", hint="send a UUID, or leave it out")
    _check_value(event)
    _check_time(event, now)


def _check_value(event: Interaction) -> None:
    match event.kind:
        case Kind.RATE if not event.undo:
            if not isinstance(event.value, int) or not 1 <= event.value <= 10:
                raise InvalidInputError(
                    f"a rate event needs a value from 1 to 10, got {event.value!r}",
                    hint="to take a rating back send undo: true",
                )
        case Kind.STATUS if not event.undo:
            if not isinstance(event.value, Status):
                raise InvalidInputError(
                    f"a status event needs one of {', '.join(Status)}, got {event.value!r}",
                    hint="to take a status back send undo: true",
                )
        case _ if event.value is not None and not event.undo:
            raise InvalidInputError(f"a {event.kind} event takes no value, got {event.value!r}", hint="leave value out")


def _check_time(event: Interaction, now: datetime) -> None:
    time = event.event_time
    if time.tzinfo is None:
        raise InvalidInputError(
            "event_time has no time zone", hint="send ISO 8601 with Z or an offset, or leave it out"
        )
    if time > now + MAX_CLOCK_SKEW:
        raise InvalidInputError(
            f"event_time {time.isoformat()} is in the future (the server's clock says {now.isoformat()})",
            hint="check the client's clock, or leave event_time out",
        )
    if time < EPOCH:
        raise InvalidInputError(
            f"event_time {time.isoformat()} is before {EPOCH.date()}",
            hint="times are ISO 8601; is it seconds for milliseconds?",
        )
