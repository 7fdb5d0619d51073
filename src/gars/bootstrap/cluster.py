"""Jobs of a cluster outside the service: the history worker, replay and backfill."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gars.application.events.keep_history import KeepHistory
from gars.application.events.replay import Initial, Rebuilt, from_history, from_log
from gars.application.ports import Logged, Tombstones
from gars.bootstrap.addresses import REDIS, adapter, is_cluster, scheme
from gars.bootstrap.stores import (
    open_event_log,
    open_history,
    open_state_store,
    open_tombstones,
    open_trend_counters,
    open_written_history,
    open_written_impressions,
)
from gars.config import Settings
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.datasets.recorded_log import read_log
from gars.domain import user_state
from gars.domain.errors import InvalidInputError, StorageError
from gars.domain.user_state import UserState

if TYPE_CHECKING:  # their client libraries are optional
    from gars.adapters.cassandra.history import CassandraHistory
    from gars.adapters.kafka.event_log import KafkaEventLog
    from gars.adapters.kafka.stream import KafkaStream
    from gars.adapters.redis.state_store import RedisStateStore
    from gars.adapters.redis.trends import RedisTrends

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HistoryWorker:
    """The use case and the stream it consumes."""

    keep: KeepHistory
    stream: KafkaStream

    def is_done(self) -> bool:
        """Return whether every record has been polled."""
        return self.stream.lag() == 0


@contextmanager
def history_worker(settings: Settings, *, group: str = "history") -> Iterator[HistoryWorker]:
    """Open a member of a consumer group that copies events and shown lists to GARS_HISTORY.

    Raises:
        InvalidInputError: the settings are not those of a cluster.
    """
    _require_cluster(settings)
    kafka = adapter("kafka", "address").parse("GARS_EVENT_LOG", settings.event_log)
    with ExitStack() as opened:
        stream: KafkaStream = adapter("kafka", "stream").KafkaStream(kafka, group, impressions=True)
        opened.callback(stream.close)
        history = open_written_history(settings)
        opened.callback(history.close)
        impressions = open_written_impressions(settings)
        opened.callback(impressions.close)
        tombstones = open_tombstones(settings)
        opened.callback(tombstones.close)
        keep = KeepHistory(stream=stream, history=history, impressions=impressions, tombstones=tombstones)
        yield HistoryWorker(keep, stream)


@contextmanager
def rebuilt_users(
    settings: Settings, source: str, dataset: Dataset | None, *, partial: bool = False
) -> Iterator[Iterator[Rebuilt]]:
    """Rebuild every user from the events of ``source``: ``kafka``, ``cassandra`` or the path of a recorded log.

    Raises:
        StorageError: the source has dropped its oldest events, so that states would be wrong, and ``partial`` is false.
    """
    with ExitStack() as opened:
        tombstones = open_tombstones(settings)
        opened.callback(tombstones.close)
        initial = initial_states(dataset, tombstones)
        if source == "cassandra":
            history = open_history(settings)
            opened.callback(history.close)
            since = cast("CassandraHistory", history).incomplete_since() if settings.history else None
            if since is not None:
                message = (
                    f"events are gone from Cassandra since {since:%Y-%m-%d}, which keeps them for GARS_HISTORY_DAYS"
                )
                _report_expired(message, "--from kafka, or --from FILE with a recorded log", refuse=not partial)
            yield from_history(history, initial)
        else:
            yield from_log(opened.enter_context(logged(settings, source, whole=not partial)), initial)


@contextmanager
def logged(settings: Settings, source: str, *, whole: bool = False) -> Iterator[Iterator[Logged]]:
    """Open the records of ``kafka`` or of a recorded log, with deletions of users in their order.

    Raises:
        StorageError: ``whole`` is true and Kafka has dropped its oldest records.
    """
    if source != "kafka":
        yield read_log(Path(source))
        return
    _require_cluster(settings)
    log = cast("KafkaEventLog", open_event_log(settings))
    try:
        if gone := log.gone():
            message = f"the {gone} oldest record(s) are gone from Kafka, which keeps them for GARS_LOG_DAYS"
            _report_expired(message, "--from cassandra", refuse=whole)
        yield log.scan()
    finally:
        log.close()


def _report_expired(message: str, elsewhere: str, *, refuse: bool) -> None:
    if refuse:
        raise StorageError(
            f"{message}: states without them would be wrong",
            hint=f"gars replay {elsewhere}; if nothing holds them any more, what is left makes states with: --partial",
        )
    logger.warning("%s", message)


@contextmanager
def rebuildable_states(settings: Settings) -> Iterator[RedisStateStore]:
    """Open the state store; raises ``InvalidInputError`` if it is not Redis."""
    if scheme(settings.state_store) not in REDIS:
        raise InvalidInputError(
            "GARS_STATE_STORE is not Redis", hint="states in SQLite are made again by the service when it starts"
        )
    states = cast("RedisStateStore", open_state_store(settings))
    try:
        yield states
    finally:
        states.close()


@contextmanager
def rebuildable_trends(settings: Settings) -> Iterator[RedisTrends]:
    """Open the trending counters, which are in the Redis of the states."""
    trends = cast("RedisTrends", open_trend_counters(settings))
    try:
        yield trends
    finally:
        trends.close()


def initial_states(dataset: Dataset | None, tombstones: Tombstones) -> Initial:
    """Return a lookup of a user's initial state in the data set; it is read at the first call and held encoded."""
    known: dict[str, bytes] | None = None
    forgotten = forgotten_users(tombstones)

    def initial(user_id: str) -> UserState | None:
        nonlocal known
        if dataset is None:
            return None
        if known is None:
            known = {name: user_state.encode(user_state.initial(name, rows)) for name, rows in histories(dataset)}
        if user_id not in known or forgotten(user_id):
            return None
        return user_state.decode(known[user_id])

    return initial


def forgotten_users(tombstones: Tombstones) -> Callable[[str], bool]:
    """Return a predicate for forgotten users; without tombstones it does not query the store."""
    if not tombstones.newest_offset():
        return lambda _user_id: False
    return lambda user_id: tombstones.find(user_id) is not None


def _require_cluster(settings: Settings) -> None:
    if not is_cluster(settings):
        raise InvalidInputError(
            "GARS_EVENT_LOG is not Kafka: this service keeps its own history",
            hint="set the addresses of a cluster: docs/how-to/from-one-machine-to-a-cluster.md",
        )
