"""What the use cases need of the world, as Protocols. Adapters implement them; ``gars.testing`` checks them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gars.domain.anime import Anime
from gars.domain.candidates import Filters
from gars.domain.history import History
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState


class Clock(Protocol):
    """The only source of "now"."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class EventLog(Protocol):
    """The durable, append-only record of interactions; everything else can be rebuilt from it."""

    def append(self, events: Sequence[Interaction]) -> list[bool]:
        """Make events durable, all or none; False marks one whose ``event_id`` was already there.

        Returns only when the events survive a crash of the machine.

        Raises:
            StorageError: nothing of the batch was taken.
        """
        ...

    def read(self, *, after: int = 0, user_id: str | None = None) -> Iterator[tuple[int, Interaction]]:
        """Events in the order they were accepted, each with its offset (> ``after``)."""
        ...

    def forget(self, user_id: str) -> int:
        """Delete everything of a user; returns how many events went."""
        ...


class StateStore(Protocol):
    """User states by id. A version never moves backwards."""

    def get(self, user_id: str) -> UserState | None:
        """The state, or ``None`` for a user never heard of."""
        ...

    def put(self, states: Sequence[UserState]) -> None:
        """Keep states durably; one older than what is stored is ignored."""
        ...

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Known ids in ascending order."""
        ...

    def forget(self, user_id: str) -> bool:
        """Delete a user's state; False if there was none."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A user's state moved on, so their lists did too."""

    user_id: str
    version: int
    event_id: str
    kind: str
    anime_id: int
    accepted_ms: int


class ChangeFeed(Protocol):
    """Tells whoever listens that a user's state changed. Best effort: a listener compares versions."""

    def publish(self, changes: Sequence[Change]) -> None:
        """Tell the listeners; never blocks, never fails."""
        ...

    def listen(self, user_id: str) -> AsyncIterator[Change]:
        """Changes of one user from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a title is in the list, in words and with its weight."""

    kind: str
    text: str
    anime_id: int | None = None
    title: str | None = None
    contribution: float | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One place of a list. ``p_like`` is the calibrated probability of a rating above 7."""

    anime_id: int
    score: float
    p_like: float
    channels: tuple[str, ...]
    reasons: tuple[Reason, ...]


class Engine(Protocol):
    """The two-stage model, ready to serve: pure numpy, no I/O."""

    version: str

    @property
    def anime(self) -> Sequence[Anime]:
        """The catalogue, ascending by id."""
        ...

    def recommend_history(self, history: History, *, k: int, offset: int = 0, filters: Filters) -> list[Recommendation]:
        """The ranked list, places ``offset`` … ``offset + k``."""
        ...

    def retrieve_ids(self, history: History, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """Stage one alone, best first: the fallback when ranking is out of time."""
        ...

    def popular_ids(self, *, k: int, filters: Filters) -> NDArray[np.int64]:
        """The list for somebody of whom nothing is known, and the last fallback."""
        ...

    def similar_ids(self, anime_id: int, *, k: int, same_franchise: bool = True) -> list[tuple[int, float]]:
        """Anime like this one with their similarity (0–1), best first."""
        ...

    def similar_user_ids(self, history: History, *, k: int, exclude: str | None = None) -> list[tuple[str, float]]:
        """Training users like this history with their similarity (0–1), best first."""
        ...
