"""Encoding of the records of the interactions topic: the key is the user, the header ``kind`` the type."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gars.domain.interaction import Interaction

KIND = "kind"
EVENT = "event"
"""The value is an ``Interaction`` as MessagePack."""
FORGET = "forget"
"""No value: earlier events of the user are deleted."""

Headers = list[tuple[str, str | bytes | None]]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Interaction)


def encode(event: Interaction) -> bytes:
    """Encode the value of an event's record."""
    return _encoder.encode(event)


def header(kind: str) -> Headers:
    """Return the headers of a record."""
    return [(KIND, kind.encode())]


def decode(
    key: bytes | None, value: bytes | None, headers: Mapping[str, str | bytes | None] | Headers | None
) -> tuple[str, Interaction | None]:
    """Decode a record. → the user, and the event or ``None`` for a deletion

    Raises:
        ValueError: it is neither; the message has the reason.
    """
    try:
        user_id = (key or b"").decode()
    except UnicodeDecodeError:
        raise ValueError("the key is not UTF-8") from None
    if not user_id:
        raise ValueError("there is no key: the record belongs to no user")
    kind = dict(headers or []).get(KIND, EVENT.encode())
    if kind == FORGET.encode():
        return user_id, None
    if kind != EVENT.encode():
        raise ValueError(f"the header kind is {kind!r}, not {EVENT!r} or {FORGET!r}")
    try:
        event = _decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the value is no interaction: {error}") from error
    if event.user_id != user_id:
        raise ValueError(f"the key is {user_id!r} but the event is of user {event.user_id!r}")
    return user_id, event
