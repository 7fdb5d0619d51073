"""Detect the format of a list file by its content, and parse it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gars.datasets import text
from gars.datasets.kinds import is_web_page
from gars.datasets.lists import anilist, anilist_export, kitsu, myanimelist_api, myanimelist_xml, rows
from gars.datasets.lists.draft import brief, shown
from gars.datasets.lists.json_documents import documents
from gars.datasets.unpack import unpack
from gars.domain import user_export
from gars.domain.errors import InvalidInputError
from gars.domain.personal_list import PersonalList
from gars.domain.user_export import UserExport

MAX_BYTES = 16_000_000
KNOWN = (
    "MyAnimeList's XML export (.xml or .xml.gz), JSON of AniList (MediaListCollection), AniList's data export, JSON of "
    "MyAnimeList's API v2 or of Kitsu (library-entries), an export of GARS, or CSV with a column anime_id"
)
_BLANK = b" \t\r\n"
_UTF8_MARK = b"\xef\xbb\xbf"
_FAULT_NAMES = ("errors", "error")
_LEAST_FAILURE = 400
_PLAIN_FAILURES = (
    *("not found", "404", "403", "429", "too many requests", "rate limit", "error", "unauthorized", "forbidden"),
    *("access denied", "bad request", "internal server error", "service unavailable", "invalid"),
)


def parse(content: bytes, *, limit: int = MAX_BYTES) -> PersonalList | UserExport:
    """Parse a list file of any supported site, compression and encoding.

    Raises:
        InvalidInputError: it is none of the known kinds, damaged, too long, a list of manga, or hardly anything in it
            can be read.
    """
    content = unpack(content, limit)
    start = content.removeprefix(_UTF8_MARK).lstrip(_BLANK)[:200]
    if not start:
        raise InvalidInputError("the list is empty", hint=f"known are {KNOWN}")
    if is_web_page(start):
        raise InvalidInputError("this is a web page, not a list", hint="log in first, then download the export itself")
    if _first_character(start) == "<":
        return myanimelist_xml.parse(content.removeprefix(_UTF8_MARK).lstrip(_BLANK) if start[:1] == b"<" else content)
    if start.startswith((b"{", b"[")):
        return _json(content)
    return _other(content)


def _first_character(start: bytes) -> str:
    bare = start.removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").replace(b"\x00", b"")
    return bare.lstrip(_BLANK)[:1].decode("latin-1")


def _json(content: bytes) -> PersonalList | UserExport:
    found = documents(content)
    if user_export.is_export(found[0]):
        return user_export.decode(content.removeprefix(_UTF8_MARK))
    refuse_failure(found)
    if (exports := anilist_export.exports(found)) is not None:
        return anilist_export.parse(exports)
    if (lists := anilist.collections(found)) is not None:
        return anilist.parse(lists)
    if (library := kitsu.pages(found)) is not None:
        return kitsu.parse(library)
    if (pages := myanimelist_api.pages(found)) is not None:
        return myanimelist_api.parse(pages)
    if (objects := rows.find_objects(found)) is not None:
        return rows.parse_objects(objects)
    if all({"entries", "export"} <= one.keys() for one in found):
        raise InvalidInputError(
            "this is an Anime-Planet export: it has titles only, no MyAnimeList ids",
            hint="export it in MyAnimeList's XML form on Anime-Planet's export page",
        )
    keys = ", ".join(list(found[0])[:8])
    raise InvalidInputError(f"no list looks like this JSON (its keys are {shown(keys)})", hint=f"known are {KNOWN}")


def refuse_failure(found: list[dict[str, Any]]) -> None:
    """Raise ``InvalidInputError`` with the message of an answer that is an error of a site."""
    for document in found:
        if not _holds_something(document.get("data")) and not document.get("lists"):
            faults = next((document[name] for name in _FAULT_NAMES if document.get(name)), None)
            fault = faults[0] if isinstance(faults, list) else faults
            code = document.get("status") or document.get("status_code") or document.get("code")
            failed = isinstance(code, int) and code >= _LEAST_FAILURE
            if not faults and not failed:
                continue
            raise InvalidInputError(
                f"this is an error message, not a list: {shown(brief(_words_of(fault, document)))}",
                hint="fetch the list again",
            )


def _words_of(fault: object, document: dict[str, Any]) -> object:
    """Return the message of an error object."""
    for one in (fault, document):
        if isinstance(one, dict):
            for name in ("message", "detail", "title", "error", "type", "code", "status"):
                if (reason := one.get(name)) and isinstance(reason, str | int):
                    return reason
        elif one:
            return one
    return "it does not say why"


def _holds_something(data: object) -> bool:
    """Return true if the data of an answer have a value other than null: AniList's errors have ``{"Name": null}``."""
    if isinstance(data, dict):
        return any(_holds_something(value) for value in data.values())
    return data is not None and data not in ([], "")


def _other(content: bytes) -> PersonalList | UserExport:
    try:
        decoded = text.decode(content)
    except InvalidInputError as error:
        raise InvalidInputError(
            error.message.replace("this is no text", "this is no list and no text"),
            hint=f"{error.hint}; known are {KNOWN}",
        ) from error
    decoded_text = text.with_line_feeds(decoded.text).removeprefix("\ufeff")
    if decoded_text.lstrip()[:1] in ("{", "["):  # JSON in UTF-16
        return _json(decoded_text.encode())
    header = rows.header(decoded_text)
    if header is None:
        first = next((line for line in decoded_text.split("\n") if line.strip()), "")
        if len(decoded_text) < 500 and any(word in decoded_text.casefold() for word in _PLAIN_FAILURES):
            raise InvalidInputError(
                f"this is an error message, not a list: {shown(first)}", hint="fetch the list again"
            )
        raise InvalidInputError(
            f"no list begins like this: {shown(first)!r}",
            hint=f"a table names its columns in the first line, as anime_id,rating; known are {KNOWN}",
        )
    found = rows.parse_table(decoded_text, header)
    return replace(found, notes=(*found.notes, *decoded.notes))
