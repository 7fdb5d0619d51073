"""Parse a public list, which the site serves as pages of JSON. The user's name is not used here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from gars.datasets.statuses import STATUS_CODES
from gars.spider.pages.words import PageError

PAGE_SIZE = 300
"""Entries a page; a page with none is after the last."""
EVERY_STATUS = 7


class ListEntry(msgspec.Struct, frozen=True):
    """One anime on a list: rating 1–10 or nothing, status in the words of the normal form, when it was last changed."""

    anime_id: int
    rating: int | None
    status: str | None
    time: datetime | None


class _Raw(msgspec.Struct):
    anime_id: int
    # Titles such as "86" come as numbers, so a title is never read.
    score: int = 0
    status: int = 0
    updated_at: int | None = None


def page_address(name: str, offset: int) -> str:
    """The path of one page of a list, every status."""
    return f"/animelist/{name}/load.json?offset={offset}&status={EVERY_STATUS}"


def entries(body: bytes, where: str) -> tuple[ListEntry, ...]:
    """Read one page of a list; empty when the page is after the last.

    Raises:
        PageError: it is not a JSON list of entries, or a score is not one of 0 to 10. ``where`` must not name the user.
    """
    try:
        rows: list[_Raw] = msgspec.json.decode(body, type=list[_Raw])
    except msgspec.DecodeError as error:
        raise PageError(
            f"{where}: is not a page of a list: {error}", hint="the site may have changed its form: mend the parser"
        ) from error
    strange = [row.score for row in rows if not 0 <= row.score <= _TOP]
    if strange:
        raise PageError(f"{where}: a score of {strange[0]}", hint="the site may have changed its form: mend the parser")
    return tuple(
        ListEntry(
            row.anime_id,
            row.score or None,
            STATUS_CODES.get(str(row.status)),
            datetime.fromtimestamp(row.updated_at, UTC) if row.updated_at else None,
        )
        for row in rows
    )


def why_closed(status: int) -> str | None:
    """Return why a list cannot be read, by the status code of the answer; ``None`` for other codes."""
    return _CLOSED.get(status)


_TOP = 10
_CLOSED: dict[int, str] = {400: "private", 403: "private", 404: "unknown"}


def plain_row(user_id: int, entry: ListEntry) -> dict[str, Any]:
    """The entry as a row that ``gars data import`` reads; ``user_id`` is a number, never a name."""
    return {
        "user_id": user_id,
        "anime_id": entry.anime_id,
        "rating": entry.rating,
        "status": entry.status,
        "time": entry.time.isoformat() if entry.time else None,
    }
