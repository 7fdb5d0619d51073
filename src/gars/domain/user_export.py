"""Export of all data of a user as one JSON document, and its import into another service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from gars.domain import user_state
from gars.domain.errors import InvalidInputError
from gars.domain.interaction import EPOCH, Interaction, Kind, Status, content_id
from gars.domain.user_state import Opinion, Register, UserState

FORMAT = 1
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_KIND_OF = {
    "rating": Kind.RATE,
    "status": Kind.STATUS,
    "reaction": Kind.LIKE,
    "seen": Kind.SEEN,
    "dismissed": Kind.DISMISS,
    "unclicked": Kind.CLICK,
}


class StateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The user's state in numbers."""

    version: int
    titles: int
    ratings: int
    rating_mean: float | None
    clicks: int


class UserExport(msgspec.Struct, frozen=True, kw_only=True):
    """All data of a user. ``interactions`` after ``earlier`` give the same state again."""

    gars_export: int = FORMAT
    user_id: str
    exported: datetime
    state: StateSummary
    earlier: tuple[Interaction, ...] = ()
    """State without a logged event: the user's list in the data set, or events of a log that was lost."""
    interactions: tuple[Interaction, ...] = ()
    """The event log, in the order accepted."""
    impressions: tuple[dict[str, Any], ...] = ()
    """The lists that were shown; for the user to read, not to be imported."""


def summary(state: UserState) -> StateSummary:
    """A state in numbers."""
    return StateSummary(
        version=state.version,
        titles=sum(not opinion.is_empty for opinion in state.opinions.values()),
        ratings=state.rating_count,
        rating_mean=state.rating_mean,
        clicks=len(state.clicks),
    )


def unexplained(state: UserState, logged: Iterable[Interaction]) -> tuple[Interaction, ...]:
    """Interactions that bring about what ``state`` holds beyond the ``logged`` ones."""
    from_log = user_state.fold(UserState(user_id=state.user_id), logged)
    found: list[Interaction] = []
    for anime_id, opinion in state.opinions.items():
        other = from_log.opinions.get(anime_id, Opinion())
        for name, kind in _KIND_OF.items():
            register: Register | None = getattr(opinion, name)
            if register is not None and register != getattr(other, name):
                found.append(_written(state.user_id, anime_id, kind, register, unclick=name == "unclicked"))
    known = set(from_log.clicks)
    found += [
        _written(state.user_id, click.anime_id, Kind.CLICK, Register(1, click.stamp))
        for click in reversed(state.clicks)
        if click not in known
    ]
    return tuple(found)


def moved(interactions: Sequence[Interaction], user_id: str) -> list[Interaction]:
    """The interactions as those of another user: with ids of their own, the same each time."""
    return [
        one
        if one.user_id == user_id
        else msgspec.structs.replace(
            one,
            user_id=user_id,
            event_id=content_id(user_id, one.anime_id, one.kind, one.event_id, one.undo, one.time_ms),
        )
        for one in interactions
    ]


def is_export(document: object) -> bool:
    """Return True for a JSON object in the format of an export."""
    return isinstance(document, dict) and "gars_export" in document


def encode(export: UserExport) -> bytes:
    """The document."""
    return msgspec.json.encode(export)


def decode(content: bytes) -> UserExport:
    """The export back from its JSON.

    Raises:
        InvalidInputError: a field is missing or wrong, or a newer version wrote it.
    """
    try:
        found = msgspec.json.decode(content, type=UserExport)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"this export of GARS is damaged: {error}", hint="export it again") from error
    if found.gars_export != FORMAT:
        raise InvalidInputError(
            f"this export has format {found.gars_export}; this version of GARS reads format {FORMAT}",
            hint="import it with the version that wrote it, or a newer one",
        )
    return found


def _written(user_id: str, anime_id: int, kind: Kind, register: Register, *, unclick: bool = False) -> Interaction:
    """The interaction that writes a register, or that click."""
    value: int | Status | None = None
    if kind is Kind.RATE and register.value is not None:
        value = int(register.value)
    elif kind is Kind.STATUS and register.value is not None:
        value = Status(str(register.value))
    elif kind is Kind.LIKE and register.value == -1:
        kind = Kind.DISLIKE
    undo = register.value is None or unclick
    return Interaction(
        event_id=content_id(user_id, anime_id, kind, value, undo, register.stamp.time_ms),
        user_id=user_id,
        anime_id=anime_id,
        kind=kind,
        value=value,
        undo=undo,
        event_time=max(EPOCH, _UNIX + timedelta(milliseconds=register.stamp.time_ms)),
    )
