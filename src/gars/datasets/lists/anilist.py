"""Parse AniList's ``MediaListCollection``, the answer of its GraphQL API.

Custom lists repeat entries; duplicates are removed when the list is joined. An entry whose ``idMal`` is null keeps
its AniList id.
"""

from __future__ import annotations

from typing import Any

from gars.datasets import scales, times
from gars.datasets.lists.draft import Draft, known_id, refuse_manga
from gars.datasets.lists.json_documents import mapping, objects, text
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "AniList list"
_SCALES = {
    "POINT_100": scales.HUNDRED,
    "POINT_10_DECIMAL": scales.TEN,
    "POINT_10": scales.TEN,
    "POINT_5": scales.FIVE,
}
_SMILEYS: dict[float, int] = {1: 4, 2: 6, 3: 9}
"""POINT_3: a frown, a straight face, a smile; AniList itself counts them 35, 60 and 85 of 100."""
_NO_SCALE = scales.Scale("three smileys", 0.0)
"""A number that is none of the three smileys is left out."""


def collections(documents: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the collections in the documents, bare or inside an answer; ``None`` for anything else."""
    found = []
    for document in documents:
        inside = mapping(document.get("data")).get("MediaListCollection") or document.get("MediaListCollection")
        collection = mapping(inside) or document
        if not isinstance(collection.get("lists"), list):
            return None
        found.append(collection)
    return found


def parse(found: list[dict[str, Any]]) -> PersonalList:
    """Read collections (see ``collections``).

    Raises:
        InvalidInputError: it is a list of manga.
    """
    draft = Draft(SOURCE)
    entries = [entry for one in found for group in objects(one.get("lists")) for entry in objects(group.get("entries"))]
    anime = [entry for entry in entries if mapping(entry.get("media")).get("type") != "MANGA"]
    if entries and not anime:
        raise refuse_manga(SOURCE)
    if len(anime) < len(entries):
        draft.note(f"{len(entries) - len(anime)} manga left out")
    scale = _scale(found, anime, draft)
    for entry in anime:
        _read(entry, scale, draft)
    return draft.done()


def _read(entry: dict[str, Any], scale: str, draft: Draft) -> None:
    media = mapping(entry.get("media"))
    titles = mapping(media.get("title"))
    finished, started = mapping(entry.get("completedAt")), mapping(entry.get("startedAt"))
    draft.add(
        ListEntry(
            anime_id=known_id(media.get("idMal")),
            anilist_id=known_id(media.get("id")) or known_id(entry.get("mediaId")),
            title=text(titles.get("romaji")) or text(titles.get("userPreferred")) or text(titles.get("english")),
            updated_ms=times.any_ms(entry.get("updatedAt")),
            watched_ms=_day(finished) or _day(started),
        ),
        status=entry.get("status"),
        score=_scored(entry.get("score"), scale),
    )


def _scale(found: list[dict[str, Any]], entries: list[dict[str, Any]], draft: Draft) -> str:
    """Return the score format of the list, else the smallest one that fits its scores."""
    for collection in found:
        options = mapping(mapping(collection.get("user")).get("mediaListOptions"))
        score_format = options.get("scoreFormat") or collection.get("scoreFormat")
        if score_format == "POINT_3" or (isinstance(score_format, str) and score_format in _SCALES):
            return str(score_format)
    scores = [score for entry in entries if isinstance(score := entry.get("score"), int | float) and score > 0]
    if not scores:
        return "POINT_10"
    largest = max(scores)
    fits = "POINT_100" if largest > 10 else "POINT_10" if largest > 5 else "POINT_5" if largest > 3 else "POINT_3"
    draft.note(f"the list does not say its score format; its scores fit {fits}")
    return fits


def _scored(score: object, form: str) -> object:
    """Return the score with its scale; a smiley as the score it stands for."""
    found = scales.parse(score)
    if found is None or found.scale is not None:
        return score
    if form != "POINT_3":
        return scales.Score(found.number, _SCALES[form])
    known = _SMILEYS.get(found.number)
    return scales.Score(found.number if known is None else known, _NO_SCALE if known is None else scales.TEN)


def _day(fuzzy: dict[str, Any]) -> int | None:
    return times.date_ms(fuzzy.get("year"), fuzzy.get("month"), fuzzy.get("day"))
