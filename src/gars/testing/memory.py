"""In-memory implementations of the ports: the simplest that satisfy the contracts, and the base of the broken ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gars.application.ports import Tombstone
from gars.domain.impression import Impression
from gars.domain.impression_codec import ImpressionCodec
from gars.domain.interaction import Interaction
from gars.domain.user_state import UserState


class MemoryEventLog:
    """A ``LocalEventLog`` in a list. Durable only as long as the object lives."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, Interaction]] = []
        self._ids: set[tuple[str, str]] = set()
        self._last = 0

    def append(self, events: Sequence[Interaction]) -> list[int | None]:
        """Append events whose ``event_id`` is new for their user."""
        return [self._append_one(event) for event in events]

    def _append_one(self, event: Interaction) -> int | None:
        if (event.user_id, event.event_id) in self._ids:
            return None
        self._last += 1
        self._ids.add((event.user_id, event.event_id))
        self.entries.append((self._last, event))
        return self._last

    def find(self, events: Sequence[Interaction]) -> dict[tuple[str, str], Interaction]:
        """Search all entries."""
        wanted = {(event.user_id, event.event_id) for event in events}
        return {key: one for _, one in self.entries if (key := (one.user_id, one.event_id)) in wanted}

    def mark_forgotten(self, user_id: str) -> int:
        """Take the next offset of the log."""
        del user_id
        self.skip_to(self._last + 1)
        return self._last

    def read(self, *, after: int = 0) -> Iterator[tuple[int, Interaction]]:
        """Return entries in the order accepted."""
        return iter([entry for entry in self.entries if entry[0] > after])

    def read_user(self, user_id: str) -> Iterator[tuple[int, Interaction]]:
        """Return a user's entries in the order accepted."""
        return iter([entry for entry in self.entries if entry[1].user_id == user_id])

    def users(self, *, after: str = "") -> Iterator[str]:
        """Return user ids in ascending order."""
        return iter(sorted({event.user_id for _, event in self.entries if event.user_id > after}))

    def read_by_user(self, *, after_user: str, after: int, up_to: int) -> Iterator[tuple[str, list[Interaction]]]:
        """Return users in ascending order, each with their events."""
        chosen = [event for offset, event in self.entries if after < offset <= up_to]
        for user_id in sorted({event.user_id for event in chosen if event.user_id > after_user}):
            yield user_id, [event for event in chosen if event.user_id == user_id]

    def last_offset(self) -> int:
        """Return the last offset assigned."""
        return self._last

    def forget(self, user_id: str, *, up_to: int | None = None) -> int:
        """Delete a user's events."""
        gone = [entry for entry in self.entries if entry[1].user_id == user_id and (up_to is None or entry[0] <= up_to)]
        self.entries = [entry for entry in self.entries if entry not in gone]
        self._ids -= {(event.user_id, event.event_id) for _, event in gone}
        return len(gone)

    def skip_to(self, offset: int) -> None:
        """Move the counter forward."""
        self._last = max(self._last, offset)

    def check(self) -> None:
        """Do nothing: memory can always be written."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class MemoryTombstones:
    """``Tombstones`` in a dict."""

    def __init__(self) -> None:
        self.stones: dict[str, Tombstone] = {}

    def put(self, user_id: str, stone: Tombstone) -> None:
        """Store a tombstone with the larger offset and time of the old and the new one."""
        held = self.stones.get(user_id, stone)
        self.stones[user_id] = Tombstone(
            offset=max(held.offset, stone.offset), time_ms=max(held.time_ms, stone.time_ms)
        )

    def settle(self, user_id: str) -> None:
        """Mark a user's tombstone as settled."""
        if user_id in self.stones:
            self.stones[user_id] = replace(self.stones[user_id], settled=True)

    def settle_all(self) -> None:
        """Mark all tombstones as settled."""
        for user_id in self.stones:
            self.settle(user_id)

    def find(self, user_id: str) -> Tombstone | None:
        """Return the tombstone, or ``None``."""
        return self.stones.get(user_id)

    def newest_offset(self) -> int:
        """Return the largest offset."""
        return max((stone.offset for stone in self.stones.values()), default=0)

    def is_unsettled(self) -> bool:
        """Return true if any tombstone is not settled."""
        return any(not stone.settled for stone in self.stones.values())

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class MemoryImpressionLog:
    """An ``ImpressionLog`` in a list."""

    def __init__(self) -> None:
        self.impressions: list[Impression] = []

    def append(self, impressions: Sequence[Impression]) -> None:
        """Store impressions."""
        self.impressions.extend(impressions)

    def read(self, *, user_id: str | None = None) -> Iterator[Impression]:
        """Return impressions in the order appended."""
        return iter([one for one in self.impressions if user_id in (None, one.user_id)])

    def users(self) -> list[str]:
        """Return each user id once."""
        return sorted({one.user_id for one in self.impressions})

    def forget(self, user_id: str, *, up_to_ms: int | None = None) -> int:
        """Delete a user's impressions."""
        return self._keep(lambda one: one.user_id != user_id or (up_to_ms is not None and one.time_ms > up_to_ms))

    def expire(self, *, before: datetime) -> int:
        """Delete impressions before a time."""
        return self._keep(lambda one: one.time >= before)

    def trim(self, *, to_bytes: int, at_most: int) -> int:
        """Delete the oldest impressions until the encoded ones fit ``to_bytes``."""
        codec = ImpressionCodec()
        sizes = [len(codec.encode(one)) for one in self.impressions]
        gone = 0
        while gone < min(at_most, len(sizes)) and sum(sizes[gone:]) > to_bytes:
            gone += 1
        self.impressions = self.impressions[gone:]
        return gone

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _keep(self, wanted: Callable[[Impression], bool]) -> int:
        count = len(self.impressions)
        self.impressions = [one for one in self.impressions if wanted(one)]
        return count - len(self.impressions)


class MemoryStateStore:
    """A ``StateStore`` in a dict."""

    def __init__(self) -> None:
        self.states: dict[str, UserState] = {}
        self.checkpoints: dict[str, str] = {}
        self.forgotten: set[str] = set()

    def get(self, user_id: str) -> UserState | None:
        """Return the state, or ``None``."""
        return self.states.get(user_id)

    def get_many(self, user_ids: Sequence[str]) -> dict[str, UserState]:
        """Return the states of the users that have one."""
        return {user_id: self.states[user_id] for user_id in user_ids if user_id in self.states}

    def put(self, states: Sequence[UserState], *, checkpoints: Mapping[str, str] | None = None) -> None:
        """Store states, except those older than the stored one."""
        for state in states:
            held = self.states.get(state.user_id)
            if held is None or state.version >= held.version:
                self.states[state.user_id] = state
        self.checkpoints.update(checkpoints or {})

    def put_initial(self, states: Sequence[UserState]) -> int:
        """Store states of users without live events who were not deleted."""
        kept = 0
        for state in states:
            held = self.states.get(state.user_id)
            if state.user_id not in self.forgotten and (held is None or held.version == 0):
                self.states[state.user_id] = state
                kept += 1
        return kept

    def checkpoint(self, name: str) -> str | None:
        """Return the last stored checkpoint."""
        return self.checkpoints.get(name)

    def user_ids(self, *, limit: int, after: str = "") -> list[str]:
        """Return a page of user ids in ascending order."""
        return sorted(user_id for user_id in self.states if user_id > after)[:limit]

    def forget(self, user_id: str) -> bool:
        """Delete a state and reject later initial ones."""
        self.forgotten.add(user_id)
        return self.states.pop(user_id, None) is not None

    def check(self) -> None:
        """Do nothing: memory can always be written."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
