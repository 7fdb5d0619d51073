"""What the use cases need of the world, as Protocols. Adapters implement them; ``gars.testing`` checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gars.domain.impression import Impression
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState


class Clock(Protocol):
    """The only source of "now"."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Logged:
    """A record of an event log in parts."""

    user_id: str
    offset: int
    """Among the records of this user."""
    event: Interaction | None
    """``None``: the user was forgotten here, and what they did before never happened."""
    position: int
    """To read on after it."""


class EventLog(Protocol):
    """The durable, append-only record of interactions; everything else can be rebuilt from it.

    A log may be in several parts, each user in one of them. So an **offset** grows along the events of one user, and is
    to be compared with offsets of the same user only; a **position** is what ``read`` gives and takes.
    """

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        """Make events durable. → the offset of each, ``None`` where the log has that ``event_id`` of that user already.

        Returns only when the events survive a crash of the machine. A log that cannot tell a repeated ``event_id``
        takes it again: whoever applies events counts it once.

        Raises:
            StorageError: not everything was taken; sending all of it again is safe.
        """
        ...

    def mark_forgotten(self, user_id: str) -> int:
        """Take the next offset of a user for their being forgotten: whatever is below it may never come back.

        Raises:
            StorageError: the mark is not durable.
        """
        ...

    def read(self, *, after: int = 0) -> Iterator[tuple[int, Interaction]]:
        """Events with the position of each, from after a position to the end; each user's in the order accepted."""
        ...

    def last_offset(self) -> int:
        """The position after which nothing can be read now, 0 for a log without events."""
        ...

    def check(self) -> None:
        """Prove that the log can be written now; raises ``StorageError`` with what is wrong."""
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...


class EventHistory(Protocol):
    """The events of each user, to be found by user and to be deleted."""

    def read_user(self, user_id: str) -> Iterator[tuple[int, Interaction]]:
        """A user's events with the offset of each, in the order accepted."""
        ...

    def users(self) -> Iterator[str]:
        """Who has events, each once."""
        ...

    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        """Delete everything of a user, or what is at offsets ``up_to`` and below; returns how many events went."""
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...


class LocalEventLog(EventLog, EventHistory, Protocol):
    """A log in one piece that is its own history: offsets are positions, no user's ``event_id`` is taken twice.

    ``append`` takes all or none.
    """

    def find(self, events: Sequence[Interaction]) -> dict[tuple[str, str], Interaction]:
        """Return what the log holds under the users and event ids of some events, by user and event id."""
        ...

    def skip_to(self, offset: int) -> None:
        """Give the next event an offset above this one; never goes back."""
        ...


APPLIED_OFFSET = "applied_offset"
"""Checkpoint of the state store: every event of the log up to here is in the states."""

BACKFILLED = "backfilled"
"""Checkpoint of the state store: content hash of the data set whose histories were folded in."""


class StateStore(Protocol):
    """User states by id. A version never moves backwards."""

    def get(self, user_id: str) -> UserState | None:
        """The state, or ``None`` for a user never heard of."""
        ...

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """The states of those who have one, in one round trip where there is a way to go."""
        ...

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Keep states and checkpoints, all or none; a state older than what is stored is ignored.

        A process or machine that dies may lose the latest, never one without those after it: the checkpoint says from
        where the log must be replayed.

        Raises:
            StorageError: nothing was kept.
        """
        ...

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Keep version-0 states, but not of users with live events nor of forgotten ones. → how many were kept."""
        ...

    def checkpoint(self, name: str) -> str | None:
        """The checkpoint last put under a name."""
        ...

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Known ids in ascending order."""
        ...

    def forget(self, user_id: str) -> bool:
        """Delete a user's state; False if there was none. ``put_initial`` will not bring the user back."""
        ...

    def check(self) -> None:
        """Prove that states can be written now; raises ``StorageError`` with what is wrong."""
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """That a user was forgotten: nothing at or below this offset of the log may come back."""

    offset: int
    time_ms: int
    settled: bool = False
    """Everything was deleted; until then it has to be deleted again."""


class Tombstones(Protocol):
    """Who was forgotten. Kept apart from log and states, so that an old copy of those cannot undo it."""

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Keep an unsettled tombstone, durably; a second one for a user moves offset and time forward, never back."""
        ...

    def settle(self, user_id: str) -> None:
        """Everything of this user is deleted."""
        ...

    def settle_all(self) -> None:
        """Everybody is deleted, also those of whom nothing was left to find them by."""
        ...

    def find(self, user_id: str) -> Tombstone | None:
        """The tombstone of a user."""
        ...

    def newest_offset(self) -> int:
        """The largest offset of any tombstone, 0 for none."""
        ...

    def is_unsettled(self) -> bool:
        """Whether somebody is still to be deleted."""
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...


class ImpressionSink(Protocol):
    """Takes the lists that were shown. Of less worth than events: the newest may be lost with the machine."""

    def append(self, impressions: Sequence[Impression]) -> None:
        """Keep impressions; raises ``StorageError``: then some may be missing."""
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...


class ImpressionLog(ImpressionSink, Protocol):
    """The lists that were shown, to be found and deleted."""

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Impressions of everybody or of one user, each user's in the order appended."""
        ...

    def users(self) -> list[str]:
        """Who was shown something, each once, in ascending order."""
        ...

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete a user's impressions, or those of ``up_to_ms`` and before; returns how many went."""
        ...

    def expire(self, *, before: datetime) -> int:
        """Delete everybody's impressions from before a time; returns how many went."""
        ...

    def trim(self, *, to_bytes: int, at_most: int) -> int:
        """Delete the oldest impressions until the log takes at most ``to_bytes`` on disk, ``at_most`` in one call.

        A log whose size is not this process' to know deletes nothing. Returns how many went.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; a second call does nothing."""
        ...


class ListSite(Protocol):
    """A site where people keep their lists."""

    def fetch(self, name: str) -> bytes:
        """A person's public list, in a form that ``datasets.lists`` reads.

        Raises:
            InvalidInputError: there is nobody of that name, the list is private, or the site wants to know who asks.
            FetchError: the site does not answer, or not now.
        """
        ...

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        ...


class TrendCounters(Protocol):
    """Weights by bucket of event time and anime (``domain.trending``), kept by the feature job."""

    def read(self, buckets: Sequence[int]) -> dict[int, dict[int, float]]:
        """Bucket → anime → weight; a bucket that nothing is in may be missing. Raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        ...


class Trends(Protocol):
    """What is asked for now."""

    def heat(self) -> Mapping[int, float]:
        """Anime → decayed weight as of now, of those anybody wants."""
        ...

    def ids(self) -> Sequence[int]:
        """Ids of the anime that anybody wants, hottest first."""
        ...

    def forget(self, user_id: str) -> None:
        """Count nothing of a user any more, where it is known who wanted what."""
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


class Listener(Protocol):
    """Somebody who wants to hear of one user's changes."""

    async def get(self) -> Change | None:
        """The next change; ``None`` when the feed has closed. May be cancelled without losing a change."""
        ...


class ChangeFeed(Protocol):
    """Tells whoever listens that a user's state changed. Best effort: a listener compares versions."""

    def publish(self, changes: Sequence[Change]) -> None:
        """Tell the listeners, from any thread; never blocks, never fails."""
        ...

    def listen(self, user_id: str) -> AbstractAsyncContextManager[Listener]:
        """Changes of one user from the moment the context is entered.

        Where the feed is not in this process it may have missed some while it was away; then it tells of the newest
        version when it is back.
        """
        ...

    def close(self) -> None:
        """Send every listener home."""
        ...


@dataclass(frozen=True, slots=True)
class TitleMatch:
    """A title that looks like what was asked for; ``match`` 0–100, ``matched`` the name that matched."""

    anime_id: int
    match: float
    matched: str


class TitleSearch(Protocol):
    """Finds anime by any of their names, forgiving typing errors."""

    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        """The best matches, each anime once, best first."""
        ...
