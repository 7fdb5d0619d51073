"""Protocols of the outside world that the use cases need. Adapters implement them; ``gars.testing`` checks them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
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
        """Return the current time, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Logged:
    """A record of an event log in parts."""

    user_id: str
    offset: int
    """Offset among the records of this user."""
    event: Interaction | None
    """``None``: the user was forgotten here, and their earlier events are void."""
    position: int
    """Position to resume reading after this record."""


class EventLog(Protocol):
    """The durable, append-only record of interactions; everything else can be rebuilt from it.

    A log may be in several parts, each user in one of them. So an **offset** grows along the events of one user, and is
    to be compared with offsets of the same user only; a **position** is the argument and result of ``read``.
    """

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        """Make events durable. → the offset of each, ``None`` where the log has that ``event_id`` of that user already.

        Returns only when the events survive a crash of the machine. A log that cannot detect a repeated ``event_id``
        stores it again: consumers that apply events count it once.

        Raises:
            StorageError: not everything was stored; sending all of it again is safe.
        """
        ...

    def mark_forgotten(self, user_id: str) -> int:
        """Take the next offset of a user for their deletion: events below it must never be restored.

        Raises:
            StorageError: the mark is not durable.
        """
        ...

    def read(self, *, after: int = 0) -> Iterator[tuple[int, Interaction]]:
        """Yield events with their positions, from after a position to the end; each user's in the order accepted."""
        ...

    def last_offset(self) -> int:
        """Return the current end position, 0 for a log without events."""
        ...

    def check(self) -> None:
        """Check that the log can be written; raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Close files and connections; a second call does nothing."""
        ...


class EventHistory(Protocol):
    """The events of each user, for reading and deletion by user."""

    def read_user(self, user_id: str) -> Iterator[tuple[int, Interaction]]:
        """Yield a user's events with the offset of each, in the order accepted."""
        ...

    def users(self) -> Iterator[str]:
        """Yield the users with events, each once."""
        ...

    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        """Delete the events of a user, all or those at offsets ``up_to`` and below; returns their number."""
        ...

    def close(self) -> None:
        """Close files and connections; a second call does nothing."""
        ...


class LocalEventLog(EventLog, EventHistory, Protocol):
    """A log in one part that is its own history: offsets are positions, and ``event_id`` is unique per user.

    ``append`` stores all or none.
    """

    def users(self, *, after: str = "") -> Iterator[str]:
        """Yield the users with events in ascending order, each once, from after a user on."""
        ...

    def read_by_user(self, *, after_user: str, after: int, up_to: int) -> Iterator[tuple[str, list[Interaction]]]:
        """Yield the users after ``after_user`` in ascending order, each with their events in the order accepted.

        Only events with offsets above ``after`` and at most ``up_to``; users without any are left out.
        """
        ...

    def find(self, events: Sequence[Interaction]) -> dict[tuple[str, str], Interaction]:
        """Return the stored events with the users and event ids of some events, by user and event id."""
        ...

    def skip_to(self, offset: int) -> None:
        """Give the next event an offset above this one; never goes back."""
        ...


APPLIED_OFFSET = "applied_offset"
"""Checkpoint of the state store: every event of the log up to here is in the states."""

REBUILT_USER = "rebuilt_user"
"""Checkpoint of the state store during a rebuild: the last user whose state holds more; empty without a rebuild."""

REBUILT_OFFSET = "rebuilt_offset"
"""Checkpoint of the state store during a rebuild: those users hold every event of the log up to here."""

BACKFILLED = "backfilled"
"""Checkpoint of the state store: content hash of the data set whose histories were folded in."""


class StateStore(Protocol):
    """User states by id. A version never moves backwards."""

    def get(self, user_id: str) -> UserState | None:
        """Return the state, or ``None`` for an unknown user."""
        ...

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return the states of several users, without unknown ones, in one round trip if possible."""
        ...

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Store states and checkpoints, all or none; a state older than the stored one is ignored.

        A process or machine that dies may lose the latest, never one without those after it: the checkpoint is the
        offset from which the log must be replayed.

        Raises:
            StorageError: nothing was stored.
        """
        ...

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Store version-0 states, except of users with live events or forgotten ones. → the number stored"""
        ...

    def checkpoint(self, name: str) -> str | None:
        """Return the value last stored under a name."""
        ...

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return user ids in ascending order."""
        ...

    def forget(self, user_id: str) -> bool:
        """Delete a user's state; false if there was none. ``put_initial`` will not restore the user."""
        ...

    def check(self) -> None:
        """Check that states can be written; raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Close files and connections; a second call does nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """Record of a deletion: no event of the user at or below this offset of the log may be restored."""

    offset: int
    time_ms: int
    settled: bool = False
    """True once all data were deleted; until then the deletion has to be repeated."""


class Tombstones(Protocol):
    """Tombstones of forgotten users, stored apart from log and states, whose old copies cannot undo them."""

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Store an unsettled tombstone, durably; a second one for a user moves offset and time forward, never back."""
        ...

    def settle(self, user_id: str) -> None:
        """Mark the deletion of a user as complete."""
        ...

    def settle_all(self) -> None:
        """Mark all deletions as complete, also of users without any data left."""
        ...

    def find(self, user_id: str) -> Tombstone | None:
        """Return the tombstone of a user, ``None`` if there is none."""
        ...

    def newest_offset(self) -> int:
        """Return the largest offset of any tombstone, 0 for none."""
        ...

    def is_unsettled(self) -> bool:
        """Return whether a deletion is incomplete."""
        ...

    def close(self) -> None:
        """Close files and connections; a second call does nothing."""
        ...


class ImpressionSink(Protocol):
    """Stores the lists that were shown. Less valuable than events: the newest may be lost with the machine."""

    def append(self, impressions: Sequence[Impression]) -> None:
        """Store impressions; after a ``StorageError`` some may be missing."""
        ...

    def close(self) -> None:
        """Close files and connections; a second call does nothing."""
        ...


class ImpressionLog(ImpressionSink, Protocol):
    """The lists that were shown, for reading and deletion."""

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Yield impressions of all users or of one, each user's in the order appended."""
        ...

    def users(self) -> list[str]:
        """Return the users with impressions, each once, in ascending order."""
        ...

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete a user's impressions, all or those of ``up_to_ms`` and before; returns their number."""
        ...

    def expire(self, *, before: datetime) -> int:
        """Delete all impressions from before a time; returns their number."""
        ...

    def trim(self, *, to_bytes: int, at_most: int) -> int:
        """Delete the oldest impressions until the log takes at most ``to_bytes`` on disk, ``at_most`` in one call.

        A log whose size this process cannot know deletes nothing. Returns the number deleted.
        """
        ...

    def close(self) -> None:
        """Close files and connections; a second call does nothing."""
        ...


class ListSite(Protocol):
    """A site on which users keep public lists."""

    def fetch(self, name: str) -> bytes:
        """Fetch a user's public list, in a form that ``datasets.lists`` reads.

        Raises:
            InvalidInputError: the user does not exist, the list is private, or the site requires credentials.
            FetchError: the site does not answer, or not now.
        """
        ...

    def close(self) -> None:
        """Close connections; a second call does nothing."""
        ...


class TrendCounters(Protocol):
    """Weights by bucket of event time and anime (``domain.trending``), kept by the feature job."""

    def read(self, buckets: Sequence[int]) -> dict[int, dict[int, float]]:
        """Return bucket → anime → weight; empty buckets may be missing. Raises ``StorageError``."""
        ...

    def close(self) -> None:
        """Close connections; a second call does nothing."""
        ...


class Trends(Protocol):
    """Titles that are trending now."""

    def heat(self) -> Mapping[int, float]:
        """Return anime → decayed weight as of now, without zeros."""
        ...

    def ids(self) -> Sequence[int]:
        """Return the ids of trending anime, largest weight first."""
        ...

    def forget(self, user_id: str) -> None:
        """Remove a user's contributions, if the counts are stored by user."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A new version of a user's state, after which their lists differ."""

    user_id: str
    version: int
    event_id: str
    kind: str
    anime_id: int
    accepted_ms: int


NextChange = Callable[[], Awaitable[Change | None]]
"""Waits for the next change; ``None`` when the feed has closed. May be cancelled without losing a change."""


class ChangeFeed(Protocol):
    """Publishes changes of user states to subscribers. Best effort: subscribers compare versions."""

    def publish(self, changes: Sequence[Change]) -> None:
        """Notify the subscribers, from any thread; never blocks, never fails."""
        ...

    def listen(self, user_id: str) -> AbstractAsyncContextManager[NextChange]:
        """Subscribe to the changes of one user, from the moment the context is entered.

        A feed in another process may miss changes while it is away; it then delivers the newest version when it is
        back.
        """
        ...

    def close(self) -> None:
        """End all subscriptions."""
        ...


@dataclass(frozen=True, slots=True)
class TitleMatch:
    """A title that matches a query; ``match`` 0–100, ``matched`` is the name that matched."""

    anime_id: int
    match: float
    matched: str


class TitleSearch(Protocol):
    """Finds anime by any of their names, forgiving typing errors."""

    def search(self, query: str, *, limit: int) -> list[TitleMatch]:
        """Return the best matches, each anime once, best first."""
        ...
