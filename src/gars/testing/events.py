"""Events in one line, and hypothesis strategies for any of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from gars.domain.interaction import Interaction, Kind, Status

START = datetime(2026, 1, 1, tzinfo=UTC)


def event(
    user_id: str = "7",
    anime_id: int = 1,
    kind: Kind = Kind.CLICK,
    value: int | Status | None = None,
    *,
    event_id: str | None = None,
    at: datetime = START,
    undo: bool = False,
) -> Interaction:
    """Create an event, with a new ``event_id`` unless one is given."""
    return Interaction(
        event_id=event_id or uuid.uuid4().hex,
        user_id=user_id,
        anime_id=anime_id,
        kind=kind,
        value=value,
        event_time=at,
        undo=undo,
    )


def clicks(n: int, *, user_id: str = "7", anime_ids: Sequence[int] = (1, 5, 1535, 5114)) -> list[Interaction]:
    """``n`` clicks a second apart, over the anime in turn."""
    return [
        event(user_id, anime_ids[number % len(anime_ids)], event_id=f"{user_id}-{number}", at=START + _seconds(number))
        for number in range(n)
    ]


def _seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


@st.composite
def interactions(
    draw: st.DrawFn, *, user_ids: Sequence[str] = ("a", "b", "c"), anime_ids: Sequence[int] = (1, 5, 1535, 5114, 100)
) -> Interaction:
    """Any valid event of a few users on a few anime, close together in time so that orders collide."""
    kind = draw(st.sampled_from(Kind))
    undo = draw(st.booleans())
    value: int | Status | None = None
    if not undo and kind is Kind.RATE:
        value = draw(st.integers(1, 10))
    if not undo and kind is Kind.STATUS:
        value = draw(st.sampled_from(Status))
    return Interaction(
        event_id=draw(st.uuids()).hex,
        user_id=draw(st.sampled_from(list(user_ids))),
        anime_id=draw(st.sampled_from(list(anime_ids))),
        kind=kind,
        value=value,
        undo=undo,
        event_time=START + timedelta(milliseconds=draw(st.integers(0, 20))),
    )


def event_lists(*, max_size: int = 30) -> st.SearchStrategy[list[Interaction]]:
    """Lists of events, each id once."""
    return st.lists(interactions(), max_size=max_size, unique_by=lambda one: one.event_id)
