"""Answers of MyAnimeList's API v2, ``/users/NAME/animelist?fields=list_status``: one page or all of them."""

from __future__ import annotations

from typing import Any

from gars.datasets import scales, statuses, times
from gars.datasets.lists.draft import Draft, brief, known_id, refuse_manga
from gars.datasets.lists.json_documents import mapping, objects, text
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "MyAnimeList API list"
_MANGA_TYPES = frozenset({"manga", "novel", "light_novel", "one_shot", "doujinshi", "manhwa", "manhua"})


def pages(documents: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the documents if each is a page of a list, else ``None``."""
    for page in documents:
        rows = page.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "node" in row for row in rows):
            return None
        if not rows and "paging" not in page:
            return None
    return documents


def parse(found: list[dict[str, Any]]) -> PersonalList:
    """Read pages (see ``pages``).

    Raises:
        InvalidInputError: it is a list of manga.
    """
    draft = Draft(SOURCE, scale=scales.TEN)
    rows = [row for page in found for row in objects(page.get("data"))]
    anime = [row for row in rows if not _is_manga(row)]
    if rows and not anime:
        raise refuse_manga(SOURCE)
    if len(anime) < len(rows):
        draft.note(f"{len(rows) - len(anime)} manga left out")
    for row in anime:
        _read(row, draft)
    if mapping(found[-1].get("paging")).get("next"):
        draft.note("the list has more pages than were given: the last one here names a next one")
    return draft.done()


def _read(row: dict[str, Any], draft: Draft) -> None:
    node, list_status = mapping(row.get("node")), mapping(row.get("list_status"))
    title = text(node.get("title"))
    if not list_status:
        draft.skip(title or "an entry without a title", "it has no list_status: ask for fields=list_status")
        return
    draft.add(
        ListEntry(
            anime_id=known_id(node.get("id")),
            title=title,
            updated_ms=times.any_ms(list_status.get("updated_at")),
            watched_ms=times.any_ms(list_status.get("finish_date")) or times.any_ms(list_status.get("start_date")),
        ),
        status=list_status.get("status"),
        score=list_status.get("score"),
        rewatching=list_status.get("is_rewatching") is True,
    )


def _is_manga(row: dict[str, Any]) -> bool:
    word = statuses.look_up(brief(mapping(row.get("list_status")).get("status")))
    if word is not None and word.of_manga:
        return True
    return mapping(row.get("node")).get("media_type") in _MANGA_TYPES
