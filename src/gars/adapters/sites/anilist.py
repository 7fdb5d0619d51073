"""AniList: a public list by its owner's name, over GraphQL."""

from __future__ import annotations

import json

from gars.adapters.sites.polite import PoliteClient
from gars.domain.errors import FetchError, UnknownListError

ADDRESS = "https://graphql.anilist.co"
PAUSE_S = 2.0
"""The site takes 30 requests a minute when it is busy."""
_MAX_CHUNKS = 100
_QUERY = """
query ($name: String, $chunk: Int) {
  MediaListCollection(userName: $name, type: ANIME, chunk: $chunk, perChunk: 500) {
    hasNextChunk
    user { mediaListOptions { scoreFormat } }
    lists {
      entries {
        mediaId status score updatedAt
        startedAt { year month day } completedAt { year month day }
        media { id idMal title { romaji english } }
      }
    }
  }
}
"""


class AniList:
    """A ``ListSite``."""

    def __init__(self, client: PoliteClient, address: str = ADDRESS) -> None:
        self._client = client
        self._address = address

    def fetch(self, name: str) -> bytes:
        """Yield the list chunk by chunk."""
        answers: list[bytes] = []
        for chunk in range(1, _MAX_CHUNKS + 1):
            body = self._ask(name, chunk)
            answers.append(body)
            if not _has_next(body):
                break
        return b"\n".join(answers)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _ask(self, name: str, chunk: int) -> bytes:
        question = {"query": _QUERY, "variables": {"name": name, "chunk": chunk}}
        status, body = self._client.ask("POST", self._address, json=question)
        match status:
            case 200:
                return body
            case 404:
                raise UnknownListError(
                    f"AniList knows no user called {name!r}, or their list is private",
                    hint="check the name, and on AniList: Settings, Privacy; or import a file",
                )
            case 401 | 403:
                raise UnknownListError(
                    f"the list of {name!r} on AniList is private", hint="make it public for a moment, or import a file"
                )
        raise FetchError(f"AniList answered {status}", hint="try again later, or import a file")


def _has_next(body: bytes) -> bool:
    try:
        return json.loads(body)["data"]["MediaListCollection"]["hasNextChunk"] is True
    except (ValueError, KeyError, TypeError, RecursionError):
        return False  # the parser of the list reports the error
