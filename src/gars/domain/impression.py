"""An impression: one list that was shown, with everything it was made from. What a click is joined to, for training."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gars.domain.candidates import Filters


class ShownItem(msgspec.Struct, frozen=True, array_like=True):
    """One place of a shown list."""

    anime_id: int
    position: int
    """From 0 at the top of the whole list, so a second page goes on where the first ended."""
    score: float
    channels: tuple[str, ...]
    features: bytes
    """The ranker's features as float32; empty for a list without a ranker. Logs store some of them in fewer bits
    (``domain.feature_codec``)."""
    propensity: float = 1.0
    """The probability that this title came to this place; below 1 only where a list may explore."""


class Impression(msgspec.Struct, frozen=True, kw_only=True):
    """One list shown to a user. With the event log it can be made again (``application.recommend.as_of``)."""

    request_id: str
    user_id: str
    time: datetime
    """By the server's clock."""
    state_version: int
    """Number of events in the user's state."""
    model_version: str
    variant: str
    """Which arm of an experiment made it."""
    fallback: str | None
    k: int
    offset: int
    filters: Filters
    explore: float = 0.0
    """The share of such lists that explore (``domain.exploration``)."""
    items: tuple[ShownItem, ...]

    @property
    def time_ms(self) -> int:
        """Time in milliseconds since the Unix epoch."""
        return round(self.time.timestamp() * 1000)
