"""Lists in pages without repeats or gaps, even if the model or the user's state changes between two pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from gars.application.recommend.recommend import Recommend, RecommendedList
from gars.domain import cursor
from gars.domain.candidates import SERVICE_DEFAULTS, Filters
from gars.domain.errors import InvalidInputError
from gars.runtime.deadline_task import DeadlineTask

Changed = Literal["model", "state"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, the cursor of the next one (``None`` for the last), and the changes since the previous one."""

    made: RecommendedList
    next: str | None
    changed: tuple[Changed, ...]


class Pages:
    """The use case behind ``?cursor=``.

    A page is the best of the titles not shown yet, so nothing is repeated even when a click or another model has
    changed the rest of the list; ``changed`` reports it. The cursor holds the titles shown: the server stores nothing.
    """

    def __init__(self, recommend: Recommend) -> None:
        self._recommend = recommend

    def __call__(
        self,
        user_id: str,
        *,
        k: int = 20,
        offset: int = 0,
        filters: Filters = SERVICE_DEFAULTS,
        after: str = "",
        asked: str = "",
        request_id: str | None = None,
        task: DeadlineTask | None = None,
    ) -> Page:
        """Return the first page, or the one after a cursor.

        ``asked`` is the request in words that ``filters`` were made of, if any: it names the list in cursors.

        Raises:
            InvalidInputError: the cursor is invalid, of another list, or combined with an offset; bad filters.
            StorageError: the state could not be read.
            AbandonedError: as ``Recommend``.
        """
        before = self._before(after, user_id, offset, filters, asked)
        shown = before.shown if before is not None else ()
        made = self._recommend(
            user_id,
            k=k,
            offset=offset,
            filters=msgspec.structs.replace(filters, shown=shown),
            request_id=request_id,
            task=task,
        )
        return Page(made, self._after(made, filters, asked, shown, k=k, offset=offset), _changed(before, made))

    def _before(self, after: str, user_id: str, offset: int, filters: Filters, asked: str) -> cursor.Cursor | None:
        if not after:
            return None
        if offset:
            raise InvalidInputError("cursor and offset both say where the page begins", hint="leave offset out")
        found = cursor.decode(after)
        if found.list_hash != cursor.list_hash(user_id, filters, asked):
            raise InvalidInputError(
                "cursor: of another user's list or of other filters", hint="ask for the first page without a cursor"
            )
        return found

    def _after(
        self, made: RecommendedList, filters: Filters, asked: str, shown: tuple[int, ...], *, k: int, offset: int
    ) -> str | None:
        """Return the next cursor; ``None`` after a short page, for a page by offset, or after too many titles."""
        now_shown = (*shown, *(item.anime_id for item in made.items))
        if offset or len(made.items) < k or len(now_shown) > cursor.MAX_SHOWN:
            return None
        return cursor.encode(
            cursor.make(
                made.user_id,
                filters,
                asked,
                model_version=made.model_version,
                state_version=made.version,
                shown=now_shown,
            )
        )


def _changed(before: cursor.Cursor | None, made: RecommendedList) -> tuple[Changed, ...]:
    if before is None:
        return ()
    changed: list[Changed] = []
    if before.model_version != made.model_version:
        changed.append("model")
    if before.state_version != made.version:
        changed.append("state")
    return tuple(changed)
