"""Parse Kitsu's library entries (JSON:API) with the included mappings to other sites."""

from __future__ import annotations

from typing import Any

from gars.datasets import scales, times
from gars.datasets.lists.draft import Draft, brief, known_id, refuse_manga
from gars.datasets.lists.json_documents import mapping, objects, text
from gars.domain.personal_list import ListEntry, PersonalList

SOURCE = "Kitsu library"
_ENTRY = "libraryentries"

Reference = tuple[str, str]


def pages(documents: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the documents if each is a page of library entries, else ``None``."""
    for page in documents:
        rows = page.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) and _type(row) == _ENTRY for row in rows):
            return None
        if not rows and "jsonapi" not in page and "meta" not in page:
            return None
    return documents


def parse(found: list[dict[str, Any]]) -> PersonalList:
    """Read pages (see ``pages``).

    Raises:
        InvalidInputError: it is a list of manga.
    """
    draft = Draft(SOURCE)
    rows = [row for page in found for row in objects(page.get("data"))]
    included = {_reference(one): one for page in found for one in objects(page.get("included"))}
    mapped = _mappings(included)
    anime = [row for row in rows if not _related(row, "manga") and not _is_manga(row)]
    if rows and not anime:
        raise refuse_manga(SOURCE)
    if len(anime) < len(rows):
        draft.note(f"{len(rows) - len(anime)} manga left out")
    for row in anime:
        _read(row, included, mapped, draft)
    if mapping(found[-1].get("links")).get("next"):
        draft.note("the library has more pages than were given: the last one here names a next one")
    return draft.done()


def _read(
    row: dict[str, Any],
    included: dict[Reference, dict[str, Any]],
    mapped: dict[Reference, dict[str, int]],
    draft: Draft,
) -> None:
    reference = next(iter(_related(row, "anime") or _related(row, "media")), ("anime", ""))
    title = text(mapping(mapping(included.get(reference)).get("attributes")).get("canonicalTitle"))
    ids = mapped.get(reference, {})
    if not ids:
        draft.skip(
            title or f"Kitsu {reference[1] or 'entry'}",
            "the file holds no mapping to MyAnimeList for it: ask for include=anime.mappings",
        )
        return
    attributes = mapping(row.get("attributes"))
    draft.add(
        ListEntry(
            anime_id=ids.get("myanimelist"),
            anilist_id=ids.get("anilist"),
            title=title,
            updated_ms=times.any_ms(attributes.get("updatedAt")),
            watched_ms=times.any_ms(attributes.get("finishedAt")) or times.any_ms(attributes.get("startedAt")),
        ),
        status=attributes.get("status"),
        score=_scored(attributes),
    )


def _scored(attributes: dict[str, Any]) -> object:
    """Return the rating with the scale of its field: ``ratingTwenty``, or ``rating`` (half stars) of older answers."""
    for name, scale in (("ratingTwenty", scales.TWENTY), ("rating", scales.FIVE)):
        if attributes.get(name) is not None:
            found = scales.parse(attributes[name])
            return attributes[name] if found is None else scales.Score(found.number, scale)
    return None


def _mappings(included: dict[Reference, dict[str, Any]]) -> dict[Reference, dict[str, int]]:
    """Return the ids on other sites by anime. Either side may reference the other."""
    owners = {
        mapping_reference: reference
        for reference, one in included.items()
        if reference[0] == "anime"
        for mapping_reference in _related(one, "mappings")
    }
    found: dict[Reference, dict[str, int]] = {}
    for reference, one in included.items():
        if reference[0] != "mappings":
            continue
        owner = next(iter(_related(one, "item")), None) or owners.get(reference)
        attributes = mapping(one.get("attributes"))
        site = brief(attributes.get("externalSite")).partition("/")
        external = known_id(attributes.get("externalId"))
        if owner and external is not None and site[0] in ("myanimelist", "anilist") and site[2] in ("anime", ""):
            found.setdefault(owner, {})[site[0]] = external
    return found


def _related(one: dict[str, Any], name: str) -> list[Reference]:
    """Return the references of a relationship."""
    linked = mapping(mapping(one.get("relationships")).get(name)).get("data")
    return [_reference(target) for target in ([linked] if isinstance(linked, dict) else objects(linked))]


def _reference(one: dict[str, Any]) -> Reference:
    return _type(one), brief(one.get("id"))


def _type(one: dict[str, Any]) -> str:
    return brief(one.get("type")).replace("-", "").lower()


def _is_manga(row: dict[str, Any]) -> bool:
    return any(kind == "manga" for kind, _ in _related(row, "media"))
