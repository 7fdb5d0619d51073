"""Routes that accept events: ``POST /interactions`` and ``POST /clicks``."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Container
from datetime import datetime
from typing import Annotated, Literal, Protocol, TypeVar

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, SkipValidation
from msgspec import UNSET

from gars.application.events.ingest import MAX_BATCH, at_index, refusal
from gars.application.events.writer import Writer
from gars.application.ports import Clock
from gars.domain.errors import EventConflictError, InvalidInputError
from gars.domain.interaction import Interaction, Kind, Status, accepted, content_id
from gars.entrypoints.api.access import CallerDep
from gars.entrypoints.api.errors import errors
from gars.entrypoints.api.event_shapes import AcceptedBody, ClickBody, EventBody, InteractionsBody, RefusedEvent
from gars.entrypoints.api.params import checked_user_id
from gars.entrypoints.api.tokens import Caller

T = TypeVar("T")


class TakesEvents(Protocol):
    """The part of a service that these routes need."""

    @property
    def clock(self) -> Clock:
        """Supplies the time of events without one."""

    @property
    def catalogue(self) -> Container[int]:
        """The anime that events may refer to."""

    @property
    def writer(self) -> Writer:
        """Makes events durable."""


TakesEventsDep = NamedDependency[SkipValidation[TakesEvents]]


@post(
    "/interactions",
    status_code=202,
    summary="Something happened",
    responses=errors(400, 403, 409, 413, 415, 422, 503),
    tags=["interactions"],
)
async def post_interactions(
    service: TakesEventsDep,
    caller: CallerDep,
    data: JSONBody[SkipValidation[InteractionsBody]],
    on_error: Annotated[
        Literal["abort", "skip"],
        QueryParameter(description="`abort` refuses the batch for one bad event, `skip` takes the rest"),
    ] = "abort",
) -> AcceptedBody:
    """One event, or `{"events": [...]}`. Responds once the events are on disk: the next list takes them into account.

    A batch is accepted or refused as a whole. With `on_error=skip` valid events are accepted, and the response lists
    the refused ones with the reason. A repeated `event_id` of the same user counts once; with different content it is a
    conflict. Ids of different users are independent.
    """
    return await _accept(service, caller, _events_of(_strictly(data, InteractionsBody)), on_error)


@post(
    "/clicks",
    status_code=202,
    summary="A click",
    responses=errors(400, 403, 413, 415, 422, 503),
    tags=["mission"],
)
async def post_click(
    service: TakesEventsDep, caller: CallerDep, data: JSONBody[SkipValidation[ClickBody]]
) -> AcceptedBody:
    """A click of a user on an anime. Each call is a new click."""
    click = _strictly(data, ClickBody)
    caller.require(str(click.user_id))
    now = service.clock.now()
    event = Interaction(
        event_id=uuid.uuid4().hex,
        user_id=checked_user_id(click.user_id),
        anime_id=click.anime_id,
        kind=Kind.CLICK,
        event_time=now,
    )
    receipt = await asyncio.wrap_future(service.writer.submit([accepted(event, now)]))
    return AcceptedBody(list(receipt.accepted), receipt.duplicates, receipt.versions)


def _strictly(body: object, kind: type[T]) -> T:
    """Convert decoded JSON to ``kind`` without coercion: ``"1"`` is not a number, unlike in a query."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        where = place.rstrip("`").lstrip(".")
        raise InvalidInputError(
            f"{where}: {message}" if where else message, hint="the bodies are listed at /docs"
        ) from None


async def _accept(
    service: TakesEvents, caller: Caller, events: list[EventBody], on_error: Literal["abort", "skip"] = "abort"
) -> AcceptedBody:
    for user_id in {str(event.user_id) for event in events}:
        caller.require(user_id)
    now = service.clock.now()
    made: dict[int, Interaction] = {}
    refused: list[RefusedEvent] = []
    for number, event in enumerate(events):
        try:
            interaction = _interaction(event, now)
            if on_error == "skip" and (error := refusal(interaction, now, service.catalogue)):
                raise error
        except InvalidInputError as error:
            if on_error == "abort":
                raise (at_index(number, error) if len(events) > 1 else error) from None
            refused.append(RefusedEvent(error.code, error.message, error.hint, index=number, event_id=event.event_id))
        else:
            made[number] = interaction
    while True:
        try:
            receipt = await asyncio.wrap_future(service.writer.submit(list(made.values())))
        except EventConflictError as error:
            if on_error == "abort":
                raise
            places = list(made)
            for place in error.numbers:
                number = places[place]
                alone = EventConflictError({number: made.pop(number).event_id})
                refused.append(
                    RefusedEvent(alone.code, alone.message, alone.hint, index=number, event_id=events[number].event_id)
                )
        else:
            refused.sort(key=lambda one: one.index)
            return AcceptedBody(list(receipt.accepted), receipt.duplicates, receipt.versions, refused)


def _events_of(body: InteractionsBody) -> list[EventBody]:
    single = body.user_id, body.anime_id, body.kind
    if body.events is not UNSET:
        if any(part is not UNSET for part in single):
            raise InvalidInputError(
                "the body has both events and the fields of a single event", hint="send one event, or only events"
            )
        if len(body.events) > MAX_BATCH:
            raise InvalidInputError(
                f"a batch takes at most {MAX_BATCH} events, got {len(body.events)}", hint="send several batches"
            )
        return body.events
    missing = [name for name, part in zip(("user_id", "anime_id", "kind"), single, strict=True) if part is UNSET]
    if missing:
        raise InvalidInputError(
            f"the event lacks {', '.join(missing)}", hint='an event is {"user_id": …, "anime_id": …, "kind": "click"}'
        )
    return [msgspec.convert(body, EventBody, from_attributes=True)]


def _interaction(event: EventBody, now: datetime) -> Interaction:
    """Convert an event to the domain type. The value of an undo is dropped."""
    made = Interaction(
        event_id="",
        user_id=checked_user_id(event.user_id),
        anime_id=event.anime_id,
        kind=Kind(event.kind),
        value=None if event.undo else _value(event),
        undo=event.undo,
        event_time=event.event_time or now,
        request_id=_short(event.request_id, "request_id"),
    )
    # the id of the content is that of the time the client sent
    return accepted(msgspec.structs.replace(made, event_id=_event_id(event, made)), now)


def _event_id(event: EventBody, made: Interaction) -> str:
    if event.event_id is not None:
        return _short(event.event_id, "event_id") or ""
    if made.event_time.tzinfo is None:
        return "no-time-zone"  # refused with a reason by the check of every event
    return content_id(made.user_id, made.anime_id, made.kind, made.value, made.undo, made.time_ms)


def _value(event: EventBody) -> int | Status | None:
    if event.kind == "status":
        try:
            return Status(event.value)  # type: ignore[arg-type]  # other values raise the error below
        except ValueError:
            raise InvalidInputError(
                f"a status event needs one of {', '.join(Status)}, got {event.value!r}",
                hint="to take a status back send undo: true",
            ) from None
    if isinstance(event.value, str):
        raise InvalidInputError(
            f"a {event.kind} event takes no text, got {event.value!r}",
            hint="a rate event takes a number from 1 to 10, the others no value",
        )
    return event.value


def _short(text: str | None, name: str) -> str | None:
    if text is not None and not (len(text) <= 128 and text.isprintable()):
        raise InvalidInputError(f"{name} must be at most 128 printable characters", hint="send a UUID, or leave it out")
    return text
