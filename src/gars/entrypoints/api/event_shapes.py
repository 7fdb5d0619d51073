"""JSON types of events, imported lists and deletions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gars.entrypoints.api.shapes import AnimeId, ErrorDetail


class EventBody(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Without ``event_id``, events with the same content and time are the same event."""

    user_id: str | int
    anime_id: AnimeId
    kind: Literal["click", "rate", "status", "like", "dislike", "seen", "dismiss"]
    value: int | str | None = None
    undo: bool = False
    event_id: str | None = None
    event_time: datetime | None = None
    request_id: str | None = None


class InteractionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Either ``events``, or the fields of a single event."""

    events: Annotated[list[EventBody], Meta(min_length=1)] | UnsetType = UNSET
    user_id: str | int | UnsetType = UNSET
    anime_id: AnimeId | UnsetType = UNSET
    kind: Literal["click", "rate", "status", "like", "dislike", "seen", "dismiss"] | UnsetType = UNSET
    value: int | str | None = None
    undo: bool = False
    event_id: str | None = None
    event_time: datetime | None = None
    request_id: str | None = None


class ClickBody(msgspec.Struct, frozen=True, kw_only=True):
    """A click, in short form."""

    user_id: str | int
    anime_id: AnimeId


class RefusedEvent(ErrorDetail, frozen=True, kw_only=True):
    """A refused event of a batch: its index, and the reason."""

    index: int
    event_id: str | None


class AcceptedBody(msgspec.Struct, frozen=True):
    """The events are durable; ``versions`` are the resulting state versions by user.

    ``versions`` is empty if another process applies events: ``/users/{id}/events`` then reports the change.
    ``refused`` is empty unless the batch was sent with ``on_error=skip``.
    """

    accepted: list[str]
    duplicates: int
    versions: dict[str, int]
    refused: list[RefusedEvent] = []


class UnknownTitle(msgspec.Struct, frozen=True):
    """A title of an imported list that is not in the catalogue."""

    name: str
    anime_id: int | None
    anilist_id: int | None


class SkippedTitle(msgspec.Struct, frozen=True):
    """An entry of an imported list that could not be read, and the reason."""

    name: str
    why: str


class ImportBody(msgspec.Struct, frozen=True, kw_only=True):
    """Result of an import. ``entries`` = taken + unchanged + duplicates + unknown + skipped.

    ``newer_than_data`` titles began after the ratings that the model was trained on.
    """

    source: str
    user_id: str
    entries: int
    taken: int
    unchanged: int
    duplicates: int
    newer_than_data: int
    newer_titles: list[str]
    """Names of some of them, newest first."""
    unknown: list[UnknownTitle]
    skipped: list[SkippedTitle]
    notes: list[str]
    events: int
    version: int


class ForgottenBody(msgspec.Struct, frozen=True, kw_only=True):
    """The deleted records of a user."""

    user_id: str
    events: int
    impressions: int
    state: bool
