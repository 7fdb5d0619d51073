"""MyAnimeList's XML export, and what other programs write in its form.

Element names are compared without their namespace, and fields may be missing. A DTD is never fetched; entities are
refused.
"""

from __future__ import annotations

import io
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from gars.datasets.lists import words
from gars.datasets.lists.draft import Draft, known_id, refuse_manga
from gars.domain.errors import InvalidInputError
from gars.domain.interaction import Status
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "MyAnimeList XML export"
_MAX_DEPTH = 16
_MANGA_EXPORT = "2"


def parse(content: bytes) -> PersonalList:
    """Read an export.

    Raises:
        InvalidInputError: it is no well-formed XML, no anime list, or a list of manga.
    """
    draft = Draft(SOURCE)
    root, depth, anime, manga = "", 0, 0, 0
    manga_export = False
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end")):
            name = _name(element)
            if event == "start":
                root = root or name
                depth += 1
                if depth > _MAX_DEPTH:
                    raise _broken(f"elements are {_MAX_DEPTH} deep and deeper")
                continue
            depth -= 1
            if name == "user_export_type":
                manga_export = (element.text or "").strip() == _MANGA_EXPORT
            elif name == "anime":
                anime += 1
                _read(element, draft)
            elif name == "manga":
                manga += 1
            if name in ("anime", "manga"):
                element.clear()
    except (ParseError, ValueError, LookupError) as error:
        raise _broken(str(error) or type(error).__name__) from error
    if not anime and (manga or manga_export):
        raise refuse_manga(SOURCE)
    if not anime and root != "myanimelist":
        raise InvalidInputError(
            f"the XML has no <anime> in it; its outermost element is <{root[:40]}>",
            hint="get your list at https://myanimelist.net/panel.php?go=export and give it as it is",
        )
    if manga:
        draft.note(f"{manga} manga left out")
    return draft.done()


def _read(element: Element, draft: Draft) -> None:
    cells = {_name(child): (child.text or "").strip() for child in element}
    anime_id = known_id(cells.get("series_animedb_id"))
    title = cells.get("series_title") or None
    if anime_id is None:
        draft.skip(title or "an entry without a title", "it has no MyAnimeList id (series_animedb_id)")
        return
    status = words.status(cells.get("my_status"), draft)
    if status is Status.WATCHING and cells.get("my_rewatching") == "1":
        status = Status.COMPLETED  # who watches it again has seen it
    draft.add(
        ListEntry(
            anime_id=anime_id,
            title=title,
            status=status,
            rating=words.rating(cells.get("my_score"), draft),
            updated_ms=words.seconds_ms(cells.get("my_last_updated")),
            watched_ms=words.day_ms(cells.get("my_finish_date")) or words.day_ms(cells.get("my_start_date")),
        )
    )


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _broken(why: str) -> InvalidInputError:
    return InvalidInputError(f"the XML cannot be read: {why}", hint="download the export again; do not edit it by hand")
