"""MyAnimeList: a public list by its owner's name, over the API v2 with a client id."""

from __future__ import annotations

import json
from urllib.parse import quote

from gars.adapters.sites.polite import PoliteClient
from gars.domain.errors import FetchError, InvalidInputError, UnknownListError

ADDRESS = "https://api.myanimelist.net/v2"
PAUSE_S = 1.0
_MAX_PAGES = 50
"""Of 1,000 titles."""


class MyAnimeList:
    """A ``ListSite``."""

    def __init__(self, client: PoliteClient, client_id: str, address: str = ADDRESS) -> None:
        self._client = client
        self._client_id = client_id
        self._address = address.rstrip("/")

    def fetch(self, name: str) -> bytes:
        """Yield the list page by page."""
        if not self._client_id:
            raise InvalidInputError(
                "MyAnimeList gives lists only to programs it knows",
                hint="register one at https://myanimelist.net/apiconfig and set GARS_MAL_CLIENT_ID, or import a file",
            )
        address = f"{self._address}/users/{quote(name, safe='')}/animelist?fields=list_status&limit=1000&nsfw=true"
        answers: list[bytes] = []
        for _ in range(_MAX_PAGES):
            body = self._ask(name, address)
            answers.append(body)
            following = _next(body)
            if following is None:
                break
            if not following.startswith(self._address + "/"):  # the client id is for this site only
                raise FetchError("MyAnimeList sent us elsewhere for the next page", hint="import a file")
            address = following
        return b"\n".join(answers)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _ask(self, name: str, address: str) -> bytes:
        status, body = self._client.ask("GET", address, headers={"X-MAL-CLIENT-ID": self._client_id})
        match status:
            case 200:
                return body
            case 404:
                raise UnknownListError(f"MyAnimeList knows no user called {name!r}", hint="check the name")
            case 403:
                raise UnknownListError(
                    f"the list of {name!r} on MyAnimeList is private",
                    hint="make it public for a moment, or import a file",
                )
            case 400 | 401:
                raise InvalidInputError(
                    "MyAnimeList does not accept the client id", hint="check GARS_MAL_CLIENT_ID, or import a file"
                )
        raise FetchError(f"MyAnimeList answered {status}", hint="try again later, or import a file")


def _next(body: bytes) -> str | None:
    try:
        following = json.loads(body)["paging"]["next"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # the last page, or an error that the parser of the list reports
    return following if isinstance(following, str) else None
