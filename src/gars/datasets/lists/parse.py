"""Tell by its content what kind of list a file is, and read it."""

from __future__ import annotations

from gars.datasets.lists import anilist, kitsu, myanimelist_api, myanimelist_xml, plain_csv
from gars.datasets.lists.draft import brief, shown
from gars.datasets.lists.inflate import inflate
from gars.datasets.lists.json_documents import documents
from gars.domain import user_export
from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import PersonalList
from gars.domain.user_export import UserExport

MAX_BYTES = 16_000_000
KNOWN = (
    "MyAnimeList's XML export (.xml or .xml.gz), JSON of AniList (MediaListCollection), of MyAnimeList's API v2 or of "
    "Kitsu (library-entries), an export of GARS, or CSV with a column anime_id"
)
_BLANK = b" \t\r\n"
_UTF8_MARK = b"\xef\xbb\xbf"


def parse(content: bytes, *, limit: int = MAX_BYTES) -> PersonalList | UserExport:
    """The list in a file, whatever site wrote it.

    Raises:
        InvalidInputError: it is none of the known kinds, damaged, too long, or a list of manga.
    """
    content = inflate(content, limit)
    start = content.removeprefix(_UTF8_MARK).lstrip(_BLANK)[:200]
    if not start:
        raise InvalidInputError("the list is empty", hint=f"known are {KNOWN}")
    if start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\x00<")):
        if start.lower().startswith((b"<!doctype html", b"<html")):
            raise InvalidInputError(
                "this is a web page, not a list", hint="log in first, then download the export itself"
            )
        return myanimelist_xml.parse(content.removeprefix(_UTF8_MARK).lstrip(_BLANK))
    if start.startswith((b"{", b"[")):
        return _json(content)
    return _table(content)


def _json(content: bytes) -> PersonalList | UserExport:
    found = documents(content)
    if user_export.is_export(found[0]):
        return user_export.decode(content.removeprefix(_UTF8_MARK))
    refuse_failure(found)
    if (lists := anilist.collections(found)) is not None:
        return anilist.parse(lists)
    if (library := kitsu.pages(found)) is not None:
        return kitsu.parse(library)
    if (pages := myanimelist_api.pages(found)) is not None:
        return myanimelist_api.parse(pages)
    keys = ", ".join(list(found[0])[:8])
    raise InvalidInputError(f"no list looks like this JSON (its keys are {shown(keys)})", hint=f"known are {KNOWN}")


def refuse_failure(found: list[dict[str, object]]) -> None:
    """An answer that is an error message is told as one; raises ``InvalidInputError``."""
    for document in found:
        faults = document.get("errors") or document.get("error")
        if faults and not document.get("data") and not document.get("lists"):
            fault = faults[0] if isinstance(faults, list) else faults
            said = (fault.get("message") or fault.get("title") or fault) if isinstance(fault, dict) else fault
            raise InvalidInputError(
                f"this is an error message, not a list: {shown(brief(said))}", hint="fetch the list again"
            )


def _table(content: bytes) -> PersonalList:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"this is no list and no text (byte {error.start:,} is no UTF-8)", hint=f"known are {KNOWN}"
        ) from error
    if plain_csv.header(text) is None:
        raise InvalidInputError(
            f"no list begins like this: {shown(text.split(chr(10), 1)[0])!r}", hint=f"known are {KNOWN}"
        )
    return plain_csv.parse(text)
