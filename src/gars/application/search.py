"""Find anime by name."""

from __future__ import annotations

from gars.application.ports import TitleMatch, TitleSearch
from gars.domain.errors import InvalidInputError

MAX_QUERY = 200


class Search:
    """The use case behind ``GET /anime?query=``."""

    def __init__(self, titles: TitleSearch) -> None:
        self._titles = titles

    def __call__(self, query: str, *, limit: int = 10) -> list[TitleMatch]:
        """The best matches; raises ``InvalidInputError`` for an empty or endless query."""
        asked = query.strip()
        if not asked:
            raise InvalidInputError("query is empty", hint="GET /api/v1/anime?query=TITLE")
        if len(asked) > MAX_QUERY:
            raise InvalidInputError(f"query has {len(asked)} characters", hint=f"send at most {MAX_QUERY}")
        return self._titles.search(asked, limit=limit)
