"""The request of a list: made once, at the edge, and handed on to every maker of a list."""

from __future__ import annotations

from typing import Literal

import msgspec

from gars.domain.candidates import SERVICE_DEFAULTS, Filters

Explain = Literal["reasons", "full"]


class ListRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Request for ranks ``offset`` … ``offset + k`` of a user's list under filters."""

    user_id: str = ""
    """Empty where the history alone stands for the user, as in the library."""
    k: int = 20
    offset: int = 0
    filters: Filters = SERVICE_DEFAULTS
    request_id: str | None = None
    """Set if the list will be shown: it is recorded as an impression under this id."""
    asked: str = ""
    """The request in words, if any; cursors name a list by it and by the filters that came with it."""
    explain: Explain = "reasons"
    """``full`` adds scores and features to each item."""

    @property
    def end(self) -> int:
        """Rank after the last one requested."""
        return self.offset + self.k

    @property
    def key(self) -> tuple[int, int, Filters]:
        """Part of a cache key: requests with the same key and history have the same list."""
        return self.k, self.offset, self.filters
