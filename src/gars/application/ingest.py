"""Take interactions in: check, make durable, update the users' states, tell the listeners.

Commit order (a crash after any step loses nothing and doubles nothing):
  1. check every event; refuse the bad ones before anything is written
  2. append to the event log            — durable; from here on the event counts
  3. apply to the user states and store — replayed from the log after a crash between 2 and 3
  4. publish the change                 — best effort
  5. acknowledge to the caller
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from gars.application.ports import Change, ChangeFeed, Clock, EventLog, StateStore
from gars.domain import user_state
from gars.domain.errors import UnknownAnimeError
from gars.domain.interaction import Interaction, check
from gars.domain.user_state import UserState


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch."""

    accepted: tuple[str, ...]
    duplicates: int
    versions: dict[str, int]


def _no_crash(_step: int) -> None:
    """Crash points are for tests."""


class Ingest:
    """The use case behind ``POST /interactions`` and ``POST /clicks``. One writer at a time."""

    def __init__(
        self,
        *,
        log: EventLog,
        states: StateStore,
        feed: ChangeFeed,
        clock: Clock,
        known_anime: Container[int],
        after_step: Callable[[int], None] = _no_crash,
    ) -> None:
        self._log = log
        self._states = states
        self._feed = feed
        self._clock = clock
        self._known_anime = known_anime
        self._after_step = after_step

    def __call__(self, events: Sequence[Interaction]) -> Receipt:
        """Accept a batch, all or nothing.

        Raises:
            InvalidInputError: an event is malformed, or its time is impossible.
            UnknownAnimeError: an anime is not in the catalogue.
            StorageError: the log could not take the batch; nothing was kept.
        """
        now = self._clock.now()
        for event in events:
            check(event, now)
        unknown = sorted({event.anime_id for event in events if event.anime_id not in self._known_anime})
        if unknown:
            raise UnknownAnimeError(unknown)
        self._after_step(1)
        is_new = self._log.append(events)
        self._after_step(2)
        fresh = [event for event, new in zip(events, is_new, strict=True) if new]
        versions = self._apply(fresh)
        self._after_step(3)
        accepted_ms = round(now.timestamp() * 1000)
        self._feed.publish(
            [Change(e.user_id, versions[e.user_id], e.event_id, e.kind.value, e.anime_id, accepted_ms) for e in fresh]
        )
        self._after_step(4)
        for user_id in {event.user_id for event in events} - versions.keys():
            state = self._states.get(user_id)
            versions[user_id] = state.version if state else 0
        return Receipt(
            accepted=tuple(event.event_id for event in fresh),
            duplicates=len(events) - len(fresh),
            versions=versions,
        )

    def _apply(self, events: Sequence[Interaction]) -> dict[str, int]:
        changed: dict[str, UserState] = {}
        for event in events:
            state = changed.get(event.user_id) or self._states.get(event.user_id) or UserState(user_id=event.user_id)
            changed[event.user_id] = user_state.apply(state, event)
        self._states.put(list(changed.values()))
        return {user_id: state.version for user_id, state in changed.items()}
