"""AniList's data export (``gdpr_data.json``): entries with numbers for the site's words, by AniList's own ids."""

from __future__ import annotations

from typing import Any

from gars.datasets import scales, times
from gars.datasets.lists.draft import Draft, brief, known_id, refuse_manga
from gars.datasets.lists.json_documents import objects
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "AniList data export"
_STATUSES = ("CURRENT", "PLANNING", "COMPLETED", "DROPPED", "PAUSED", "REPEATING")
_ANIME = 0


def exports(documents: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the documents if one of them is a data export, else ``None``."""
    rows = [row for document in documents for row in objects(document.get("lists"))]
    return documents if rows and all("series_id" in row for row in rows) else None


def parse(found: list[dict[str, Any]]) -> PersonalList:
    """Read exports (see ``exports``).

    Raises:
        InvalidInputError: it is a list of manga, or hardly anything in it can be read.
    """
    draft = Draft(SOURCE)
    rows = [row for document in found for row in objects(document.get("lists"))]
    anime = [row for row in rows if _is_anime(row)]
    if rows and not anime:
        raise refuse_manga(SOURCE)
    scale = _scale(anime)
    for number, row in enumerate(anime, 1):
        score = scales.parse(row.get("score"))
        draft.add(
            ListEntry(anilist_id=known_id(row.get("series_id")), updated_ms=times.any_ms(row.get("updated_at"))),
            place=f"entry {number}",
            status=_word(row.get("status")),
            score=row.get("score") if score is None or scale is None else scales.Score(score.number, scale),
        )
    draft.settle()
    if scale is scales.HUNDRED:
        draft.note(f"the scores were read on the scale {scale.name}")
    if len(anime) < len(rows):
        draft.note(f"{len(rows) - len(anime)} manga left out")
    return draft.done()


def _scale(rows: list[dict[str, Any]]) -> scales.Scale | None:
    """AniList keeps scores of 100: one above 10 shows that this file has them so."""
    numbers = [score.number for row in rows if (score := scales.parse(row.get("score"))) is not None]
    return scales.HUNDRED if any(number > scales.TOP for number in numbers) else None


def _is_anime(row: dict[str, Any]) -> bool:
    kind = row.get("series_type", _ANIME)
    return kind == _ANIME or brief(kind).lower() in ("0", "anime")


def _word(status: object) -> object:
    number = known_id(status) if status != 0 else 0
    return _STATUSES[number] if number is not None and number < len(_STATUSES) else status
