"""AniList: the anime of a season, and those whose episodes are running, over GraphQL."""

from __future__ import annotations

import json
from typing import Any

from gars.adapters.sites.anilist import ADDRESS
from gars.adapters.sites.polite import PoliteClient
from gars.domain.errors import FetchError
from gars.domain.season import Season

_MAX_PAGES = 60
_QUERY = """
query ($page: Int, $season: MediaSeason, $year: Int, $status: MediaStatus) {
  Page(page: $page, perPage: 50) {
    pageInfo { hasNextPage }
    media(type: ANIME, season: $season, seasonYear: $year, status: $status, sort: ID) {
      id idMal title { romaji english native } synonyms countryOfOrigin format status episodes duration
      season seasonYear startDate { year month day } genres tags { name rank } source isAdult
      studios(isMain: true) { nodes { name } } description(asHtml: false) coverImage { large color } trailer { id site }
    }
  }
}
"""


class AniListSeasons:
    """Asks for anime page by page; pauses and repeated requests are the client's."""

    def __init__(self, client: PoliteClient, address: str = ADDRESS) -> None:
        self._client = client
        self._address = address

    def of_season(self, year: int, season: Season) -> list[bytes]:
        """Return the answers about all anime of one season. Raises ``FetchError``."""
        return self._pages({"season": season.upper(), "year": year})

    def running(self) -> list[bytes]:
        """Return the answers about all anime whose episodes are running. Raises ``FetchError``."""
        return self._pages({"status": "RELEASING"})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _pages(self, variables: dict[str, Any]) -> list[bytes]:
        answers: list[bytes] = []
        for page in range(1, _MAX_PAGES + 1):
            question = {"query": _QUERY, "variables": variables | {"page": page}}
            status, body = self._client.ask("POST", self._address, json=question)
            if status != 200:
                raise FetchError(f"AniList answered {status}", hint="try again later; nothing was changed")
            answers.append(body)
            if not _has_next(body):
                return answers
        raise FetchError(
            f"AniList has more than {_MAX_PAGES} pages for one question", hint="try again later; nothing was changed"
        )


def _has_next(body: bytes) -> bool:
    try:
        return json.loads(body)["data"]["Page"]["pageInfo"]["hasNextPage"] is True
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FetchError(
            f"AniList answered without a page of anime: {error!r}", hint="try again later; nothing was changed"
        ) from error
