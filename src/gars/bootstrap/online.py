"""Opens the stores of the online path and brings them up to date, in one process or in a cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime

from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.write_behind import WriteBehind
from gars.application.events.accept import Accept
from gars.application.events.backfill import backfill
from gars.application.events.forget_user import is_due, keep_forgotten, keep_impressions_forgotten, pass_tombstones
from gars.application.events.ingest import Ingest
from gars.application.events.last_known import LastKnownStates
from gars.application.events.rebuild import RebuildingStates, is_far_behind
from gars.application.events.recover import recover
from gars.application.events.writer import TakesGroups
from gars.application.ports import (
    ChangeFeed,
    Clock,
    EventHistory,
    EventLog,
    ImpressionLog,
    LocalEventLog,
    StateStore,
    Tombstones,
    TrendCounters,
    Trends,
)
from gars.application.trends.counted_trends import CountedTrends
from gars.application.trends.trending import Trending
from gars.bootstrap.stores import (
    open_change_feed,
    open_event_log,
    open_history,
    open_impression_log,
    open_local_event_log,
    open_state_store,
    open_tombstones,
    open_trend_counters,
)
from gars.config import Settings
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.domain.errors import StorageError
from gars.domain.user_state import UserState
from gars.runtime.progress import Progress

logger = logging.getLogger(__name__)

_LAST_EVENTS = 100
"""Number of last events whose times are read at start."""


def _not_at_hand(_user_id: str) -> UserState | None:
    """Return ``None``: where another process holds the states, a copy in memory may be out of date."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineStores:
    """Stores that the online path reads and writes."""

    log: EventLog
    history: EventHistory
    states: StateStore
    tombstones: Tombstones
    impressions: ImpressionLog
    feed: ChangeFeed
    trends: Trends
    takes: TakesGroups
    """Receives batches of events from the writer."""
    newest: datetime | None = None
    """Time of the newest event when the stores were opened; ``None`` if unknown."""
    counters: TrendCounters | None = None
    at_hand: Callable[[str], UserState | None] = _not_at_hand
    """Returns a user's state if it is in memory and up to date, else ``None``."""

    def problems(self) -> dict[str, str]:
        """Return problems of stores that do not stop lists from being served, by store."""
        found: dict[str, object] = {}
        if isinstance(self.states, LastKnownStates | RebuildingStates):
            found["state"] = self.states.problem
        if isinstance(self.trends, Trending):
            found["trends"] = self.trends.problem
        return {name: str(problem) for name, problem in found.items() if problem}

    def start_background_work(self) -> None:
        """Begin what would delay a start: the rebuild of lost states, the count of trends. Requests need not wait."""
        if isinstance(self.states, RebuildingStates):
            self.states.start()
        if isinstance(self.trends, Trending):
            self.trends.start()

    def close(self) -> None:
        """Close all stores."""
        # first those that read the log in a thread
        self.states.close()
        if isinstance(self.trends, Trending):
            self.trends.close()
        self.log.close()
        self.history.close()
        self.tombstones.close()
        self.impressions.close()
        if self.counters is not None:
            self.counters.close()


def open_local(
    settings: Settings,
    *,
    clock: Clock,
    known_anime: Container[int],
    dataset: Dataset | None = None,
    progress: Progress | None = None,
    after_step: Callable[[int], None] | None = None,
) -> OnlineStores:
    """Open log and states in this process, fold in the data set's histories, and replay events after a crash.

    States that are far behind the log are rebuilt while requests are served.

    Raises:
        InvalidInputError: an address in the settings names no adapter.
        StorageError: a store cannot be opened, read or written.
    """
    feed = open_change_feed(settings)
    log = open_local_event_log(settings)
    store = open_state_store(settings)
    most_waiting = max(1, settings.state_cache)
    written_behind = WriteBehind(store, most_waiting=most_waiting) if isinstance(store, SqliteStateStore) else None
    states: StateStore = store if written_behind is None else written_behind
    tombstones = open_tombstones(settings)
    impressions = open_impression_log(settings)
    # histories first: live events come on top of them
    folded = 0
    if dataset is not None:
        manifest = dataset.manifest
        folded = backfill(
            histories(dataset), states, content_hash=manifest.content_hash, n_users=manifest.users, progress=progress
        )
    if folded or is_due(log, states, tombstones):
        back = keep_forgotten(log, states, tombstones)
        if back:
            logger.warning("deleted %d user(s) again who had been forgotten and were back", len(back))
    at_hand = _not_at_hand if written_behind is None else written_behind.at_hand
    # only where states and checkpoints are one transaction
    if written_behind is not None and is_far_behind(log, states):
        states = RebuildingStates(log, written_behind, at_hand=at_hand, most_ahead=most_waiting)
        at_hand = states.at_hand
        logger.warning("user states are %s while requests are served", states.problem)
    else:
        replayed = recover(log, states)
        if replayed:
            logger.warning("replayed %d event(s) that the user states did not hold yet", replayed)
    pass_tombstones(log, states, tombstones)
    keep_impressions_forgotten(impressions, tombstones)
    return OnlineStores(
        newest=newest_time(log),
        log=log,
        history=log,
        states=states,
        tombstones=tombstones,
        impressions=impressions,
        feed=feed,
        trends=Trending(log, clock),
        takes=Ingest(
            log=log,
            states=states,
            feed=feed,
            clock=clock,
            known_anime=known_anime,
            after_step=after_step or (lambda _: None),
        ),
        at_hand=at_hand,
    )


def newest_time(log: LocalEventLog) -> datetime | None:
    """Return the latest time of the last events of a log, ``None`` for a log without events."""
    last = log.last_offset()
    newest_ms = max(
        (max(event.time_ms, event.accepted_ms or 0) for _, event in log.read(after=max(0, last - _LAST_EVENTS))),
        default=None,
    )
    return None if newest_ms is None else datetime.fromtimestamp(newest_ms / 1000, UTC)


def open_cluster(settings: Settings, *, clock: Clock, known_anime: Container[int]) -> OnlineStores:
    """Open the stores of a cluster. Connections are made when first needed, so no engine has to be up at start.

    The feature job applies the events, so nothing is replayed here; ``gars backfill`` imports a data set's histories.

    Raises:
        InvalidInputError: an address in the settings names no adapter, or the addresses do not fit together.
    """
    log = open_event_log(settings)
    counters = open_trend_counters(settings)
    return OnlineStores(
        log=log,
        history=open_history(settings),
        states=LastKnownStates(open_state_store(settings), settings.state_cache),
        tombstones=open_tombstones(settings),
        impressions=open_impression_log(settings),
        feed=open_change_feed(settings),
        trends=CountedTrends(counters, clock),
        takes=Accept(log=log, clock=clock, known_anime=known_anime),
        counters=counters,
    )


def is_forgotten(tombstones: Tombstones, user_id: str) -> bool:
    """Return whether a user must be hidden from others; true for every user while the tombstones cannot be read."""
    try:
        return tombstones.find(user_id) is not None
    except StorageError as error:
        logger.warning("no user is shown as similar: %s", error.message)
        return True
