"""Lists in pages without repeats or gaps, even if the model or the user's state changes between two pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.recommend import RecommendedList
from gars.domain import cursor
from gars.domain.cursor import Cursor
from gars.domain.errors import InvalidInputError

Changed = Literal["model", "state"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, the cursor of the next one (``None`` for the last), and the changes since the previous one."""

    made: RecommendedList
    next: str | None
    changed: tuple[Changed, ...]
    is_first: bool
    """True if it begins at the top of the list, so that its items can be compared with the best one."""


def resume(request: ListRequest, after: str) -> Cursor:
    """Decode the cursor of the page before.

    Raises:
        InvalidInputError: the cursor is invalid, of another list, or combined with an offset.
    """
    if request.offset:
        raise InvalidInputError("cursor and offset both say where the page begins", hint="leave offset out")
    found = cursor.decode(after)
    if found.list_hash != cursor.list_hash(request.user_id, request.filters, request.asked):
        raise InvalidInputError(
            "cursor: of another user's list or of other filters", hint="ask for the first page without a cursor"
        )
    return found


def without_shown(request: ListRequest, before: Cursor | None) -> ListRequest:
    """Return the request for the titles that the pages before did not show."""
    if before is None:
        return request
    return replace(request, filters=replace(request.filters, shown=before.shown))


def page_of(made: RecommendedList, request: ListRequest, before: Cursor | None) -> Page:
    """Return a list as a page. ``request`` is the one without the titles shown before.

    A page is the best of the titles not shown yet, so nothing is repeated even when a click or another model has
    changed the rest of the list; ``changed`` reports it. The cursor holds the titles shown: the server stores nothing.
    """
    shown = () if before is None else before.shown
    is_first = before is None and not request.offset
    return Page(made, _next(made, request, shown), _changed(before, made), is_first)


def _next(made: RecommendedList, request: ListRequest, shown: tuple[int, ...]) -> str | None:
    """Return the next cursor; ``None`` after a short page, for a page by offset, or after too many titles."""
    now_shown = (*shown, *(item.anime_id for item in made.items))
    if request.offset or len(made.items) < request.k or len(now_shown) > cursor.MAX_SHOWN:
        return None
    return cursor.encode(
        cursor.make(
            made.user_id,
            request.filters,
            request.asked,
            model_version=made.model_version,
            state_version=made.version,
            shown=now_shown,
        )
    )


def _changed(before: Cursor | None, made: RecommendedList) -> tuple[Changed, ...]:
    if before is None:
        return ()
    changed: list[Changed] = []
    if before.model_version != made.model_version:
        changed.append("model")
    if before.state_version != made.version:
        changed.append("state")
    return tuple(changed)
