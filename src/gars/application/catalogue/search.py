"""Find anime by name."""

from __future__ import annotations

from collections.abc import Sequence

from gars.application.ports import TitleMatch, TitleSearch
from gars.domain.errors import InvalidInputError

MAX_QUERY = 200
POOR_BELOW = 80.0
"""The match below which a title was most likely not asked for.

Measured on the 2016 catalogue: 92 % of well-known titles that it lacks match worse. None of those that it has does, or
3 % and 9 % when two or three letters are mistyped.
"""


def is_poor(found: Sequence[TitleMatch]) -> bool:
    """Return whether none of the matches is good enough to be the title that was asked for."""
    return max((hit.match for hit in found), default=0.0) < POOR_BELOW


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
