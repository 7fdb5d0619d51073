"""MyAnimeList's XML export, and what other programs write in its form.

Element names are compared without their namespace, and fields may be missing. A DTD is never fetched; entities that a
file declares are refused. Faults that exporters make are repaired, and counted.
"""

from __future__ import annotations

import codecs
import io
import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import iterparse

from gars.datasets import scales, text, times
from gars.datasets.lists.draft import Draft, known_id, refuse_manga, shown
from gars.datasets.lists.xml_repair import repair
from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "MyAnimeList XML export"
_MAX_DEPTH = 16
_MANGA_EXPORT = "2"
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*?\?>")
_ENCODING = re.compile(rb"<\?xml\b[^>]{0,100}?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_CUT_OFF = "download the export again; do not edit it by hand"


def parse(content: bytes) -> PersonalList:
    """Read an export.

    Raises:
        InvalidInputError: it cannot be read as XML even after repairs, is no anime list, an error message, a list of
            manga, or hardly anything in it can be read.
    """
    stated = _ENCODING.match(content.lstrip()[:200])
    declared = stated[1].decode() if stated else None
    try:
        if declared is not None:
            codecs.lookup(declared)
        decoded = text.decode(content, declared=declared)
    except LookupError as error:
        raise _broken(str(error)) from error
    except InvalidInputError as error:
        raise _broken(error.message) from error
    xml = _DECLARATION.sub("", decoded.text.removeprefix("\ufeff"), count=1)
    repairs: tuple[str, ...] = decoded.notes
    try:
        return _read_all(xml, repairs)
    except ParseError:
        mended, found = repair(xml)
    try:
        return _read_all(mended, (*repairs, *found))
    except ParseError as error:
        raise _broken(str(error)) from error


def _read_all(xml: str, repairs: tuple[str, ...]) -> PersonalList:
    draft = Draft(SOURCE, scale=scales.TEN, manga_words=True)
    root, depth, anime, manga, promised = "", 0, 0, 0, 0
    manga_export = False
    failure = ""
    try:
        for event, element in iterparse(io.BytesIO(xml.encode("utf-8", "replace")), events=("start", "end")):
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
            elif name == "user_total_anime":
                promised = known_id(element.text) or 0
            elif name in ("error", "message"):
                failure = failure or (element.text or "").strip()
            elif name == "anime":
                anime += 1
                _read(element, f"anime {anime}", draft)
            elif name == "manga":
                manga += 1
            if name in ("anime", "manga"):
                element.clear()
    except (ValueError, LookupError) as error:
        raise _broken(str(error) or type(error).__name__) from error
    if not anime and (manga or manga_export):
        raise refuse_manga(SOURCE)
    if not anime:
        _refuse_nothing(root, failure, promised)
    draft.settle()
    if manga:
        draft.note(f"{manga} manga left out")
    if promised > anime:
        draft.note(f"the file says that it is of {promised:,} anime; {anime:,} are in it")
    for remark in repairs:
        draft.note(remark)
    return draft.done()


def _refuse_nothing(root: str, failure: str, promised: int) -> None:
    """Raise ``InvalidInputError`` unless an export without anime is an empty list."""
    if failure:
        raise InvalidInputError(f"this is an error message, not a list: {shown(failure)}", hint="fetch the list again")
    if root != "myanimelist":
        raise InvalidInputError(
            f"the XML has no <anime> in it; its outermost element is <{root[:40]}>",
            hint="get your list at https://myanimelist.net/panel.php?go=export and give it as it is",
        )
    if promised:
        raise InvalidInputError(
            f"the XML says that it is of {promised:,} anime, and has no <anime> in it",
            hint="download the export again",
        )


def _read(element: Element, place: str, draft: Draft) -> None:
    cells = {_name(child): (child.text or "").strip() for child in element}
    anime_id = known_id(cells.get("series_animedb_id"))
    title = cells.get("series_title") or None
    if anime_id is None:
        draft.skip(title or "an entry without a title", "it has no MyAnimeList id (series_animedb_id)", place)
        return
    draft.add(
        ListEntry(
            anime_id=anime_id,
            title=title,
            updated_ms=times.any_ms(cells.get("my_last_updated")),
            watched_ms=times.any_ms(cells.get("my_finish_date")) or times.any_ms(cells.get("my_start_date")),
        ),
        place=place,
        status=cells.get("my_status"),
        score=cells.get("my_score"),
        rewatching=cells.get("my_rewatching") == "1",  # who watches it again has seen it
    )


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _broken(why: str) -> InvalidInputError:
    return InvalidInputError(f"the XML cannot be read: {why}", hint=_CUT_OFF)
