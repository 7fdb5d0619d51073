"""Opens the stores that the settings name: the only place that picks adapters, by the scheme of an address."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from gars.adapters.covers.fetcher import CoverFetcher, origins_of
from gars.adapters.covers.store import CoverFiles
from gars.adapters.covers.thumbnails import make_thumbnail
from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.lock import folder_lock
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.adapters.sites import anilist, myanimelist
from gars.adapters.sites.anilist_seasons import AniListSeasons
from gars.adapters.sites.polite import PoliteClient
from gars.application.catalogue.covers import Covers
from gars.application.events.keep_history import WritableHistory, WritableImpressions
from gars.application.impressions.relayed_impressions import RelayedImpressions
from gars.application.ports import (
    ChangeFeed,
    EventHistory,
    EventLog,
    ImpressionLog,
    ListSite,
    LocalEventLog,
    StateStore,
    Tombstones,
    TrendCounters,
)
from gars.bootstrap.addresses import REDIS, adapter, is_cluster, scheme, sqlite_path, unknown
from gars.config import Settings
from gars.domain import experiment as experiment_file
from gars.domain.errors import InvalidInputError, StorageError
from gars.domain.experiment import Experiment

_DAY_S = 24 * 3600
UNFINISHED_RESTORE = ".restore"
"""A folder in GARS_HOME that exists while a backup is restored (``bootstrap.restore``)."""


def lock_home(settings: Settings) -> AbstractContextManager[None]:
    """Lock GARS_HOME for this process.

    With a shared event log nothing is locked: any number of processes may serve from one folder.

    Raises:
        StorageError: another process serves from it, or a restore of it was interrupted.
    """
    if (settings.home / UNFINISHED_RESTORE).exists():
        raise StorageError(
            f"a restore of {settings.home} is under way or was interrupted",
            hint="finish it with the same command: gars restore DIR",
        )
    return nullcontext() if is_cluster(settings) else folder_lock(settings.home)


def open_event_log(settings: Settings) -> EventLog:
    """Open the event log that GARS_EVENT_LOG names."""
    if is_cluster(settings):
        address = adapter("kafka", "address").parse("GARS_EVENT_LOG", settings.event_log)
        return cast(
            EventLog, adapter("kafka", "event_log").KafkaEventLog(address, timeout_s=settings.busy_timeout_ms / 1000)
        )
    return open_local_event_log(settings)


def open_local_event_log(settings: Settings) -> LocalEventLog:
    """Open the event log that GARS_EVENT_LOG names; raises ``InvalidInputError`` if it is not one of this process."""
    if scheme(settings.event_log) != "sqlite":
        raise unknown("GARS_EVENT_LOG", settings.event_log, "sqlite:PATH", "kafka://HOST:PORT/PREFIX")
    path = sqlite_path("GARS_EVENT_LOG", settings.event_log)
    return SqliteEventLog(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_history(settings: Settings) -> EventHistory:
    """Open the history that GARS_HISTORY names; without one, the event log in SQLite."""
    if settings.history:
        return open_written_history(settings)
    if is_cluster(settings):
        raise InvalidInputError(
            "GARS_EVENT_LOG is Kafka, which cannot find the events of one user, and GARS_HISTORY is empty",
            hint="set GARS_HISTORY=cassandra://HOST:PORT/KEYSPACE",
        )
    return open_local_event_log(settings)


def open_written_history(settings: Settings) -> WritableHistory:
    """Open the history that ``gars worker history`` writes."""
    connection = adapter("cassandra", "connection").shared(_cassandra("GARS_HISTORY", settings.history))
    module = adapter("cassandra", "history")
    return cast(WritableHistory, module.CassandraHistory(connection, ttl_s=settings.history_days * _DAY_S))


def open_written_impressions(settings: Settings) -> WritableImpressions:
    """Open the shown lists that ``gars worker history`` writes, in the keyspace of the history."""
    return _cassandra_impressions("GARS_HISTORY", settings.history, settings)


def open_state_store(settings: Settings) -> StateStore:
    """Open the state store that GARS_STATE_STORE names."""
    address = settings.state_store
    if scheme(address) in REDIS:
        module = adapter("redis", "state_store")
        return cast(
            StateStore,
            module.RedisStateStore(address, ttl_s=settings.state_days * _DAY_S, key_file=settings.tombstone_key),
        )
    if scheme(address) != "sqlite":
        raise unknown("GARS_STATE_STORE", address, "sqlite:PATH", "redis://HOST:PORT/0")
    path = sqlite_path("GARS_STATE_STORE", address)
    return SqliteStateStore(path, cache_size=settings.state_cache, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_trend_counters(settings: Settings) -> TrendCounters:
    """Open the trending counters that the feature job writes to the Redis of the states."""
    if scheme(settings.state_store) not in REDIS:
        raise unknown("GARS_STATE_STORE", settings.state_store, "redis://HOST:PORT/0 where GARS_EVENT_LOG is Kafka")
    return cast(TrendCounters, adapter("redis", "trends").RedisTrends(settings.state_store))


def open_tombstones(settings: Settings) -> Tombstones:
    """Open the tombstones that GARS_TOMBSTONES names."""
    address = settings.tombstones
    if scheme(address) in REDIS:
        return cast(
            Tombstones, adapter("redis", "tombstones").RedisTombstones(address, key_file=settings.tombstone_key)
        )
    if scheme(address) == "cassandra":
        connection = adapter("cassandra", "connection").shared(_cassandra("GARS_TOMBSTONES", address))
        return cast(Tombstones, adapter("cassandra", "tombstones").CassandraTombstones(connection))
    if scheme(address) != "sqlite":
        raise unknown(
            "GARS_TOMBSTONES", address, "sqlite:PATH", "redis://HOST:PORT/0", "cassandra://HOST:PORT/KEYSPACE"
        )
    path = sqlite_path("GARS_TOMBSTONES", address)
    return SqliteTombstones(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_impression_log(settings: Settings) -> ImpressionLog:
    """Open the impression log that GARS_IMPRESSIONS names; with Kafka, impressions are read from the history."""
    address = settings.impressions
    if scheme(address) == "kafka":
        kafka = adapter("kafka", "address").parse("GARS_IMPRESSIONS", address)
        log = open_written_impressions(settings)
        return RelayedImpressions(adapter("kafka", "impression_log").KafkaImpressionSink(kafka), log)
    if scheme(address) == "cassandra":
        return _cassandra_impressions("GARS_IMPRESSIONS", address, settings)
    if scheme(address) != "sqlite":
        raise unknown(
            "GARS_IMPRESSIONS", address, "sqlite:PATH", "kafka://HOST:PORT/PREFIX", "cassandra://HOST:PORT/KEYSPACE"
        )
    path = sqlite_path("GARS_IMPRESSIONS", address)
    return SqliteImpressionLog(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_change_feed(settings: Settings) -> ChangeFeed:
    """Open the change feed that GARS_CHANGE_FEED names."""
    if scheme(settings.change_feed) in REDIS:
        return cast(ChangeFeed, adapter("redis", "change_feed").RedisChangeFeed(settings.change_feed))
    if settings.change_feed != "memory:":
        raise unknown("GARS_CHANGE_FEED", settings.change_feed, "memory:", "redis://HOST:PORT/0")
    if is_cluster(settings):
        raise InvalidInputError(
            "GARS_EVENT_LOG is Kafka, so changes happen in another process, and GARS_CHANGE_FEED is memory:",
            hint="set GARS_CHANGE_FEED to the redis:// address of GARS_STATE_STORE",
        )
    return MemoryChangeFeed()


def open_sites(settings: Settings, *, patience_s: float) -> dict[str, ListSite]:
    """Return clients of the sites that lists can be fetched from, by name; each waits up to ``patience_s`` seconds."""
    return {
        "anilist": anilist.AniList(
            PoliteClient("AniList", pause_s=anilist.PAUSE_S, patience_s=patience_s), settings.anilist_url
        ),
        "myanimelist": myanimelist.MyAnimeList(
            PoliteClient("MyAnimeList", pause_s=myanimelist.PAUSE_S, patience_s=patience_s),
            settings.mal_client_id,
            settings.mal_url,
        ),
    }


def open_seasons(settings: Settings, *, patience_s: float) -> AniListSeasons:
    """Return a client for the anime of a season; a request waits at most ``patience_s`` seconds."""
    return AniListSeasons(PoliteClient("AniList", pause_s=anilist.PAUSE_S, patience_s=patience_s), settings.anilist_url)


def open_covers(settings: Settings) -> Covers | None:
    """Return the cover images that this service fetches and keeps; ``None`` where GARS_COVERS has it fetch none.

    Raises:
        InvalidInputError: GARS_COVER_HOSTS cannot be read.
    """
    if settings.covers not in ("ask", "proxy"):
        return None
    fetcher = CoverFetcher(origins_of(settings.cover_hosts))
    files = CoverFiles(settings.home / "covers", max_bytes=settings.cover_bytes)
    return Covers(fetcher, files, make_thumbnail)


def image_origins(settings: Settings) -> list[str]:
    """Return the other sites whose images the page may load; empty unless GARS_COVERS is direct.

    Raises:
        InvalidInputError: GARS_COVER_HOSTS cannot be read.
    """
    return origins_of(settings.cover_hosts) if settings.covers == "direct" else []


def api_origins(settings: Settings) -> list[str]:
    """Return the other sites that the page sends requests to: AniList, where readers may sign in there.

    Raises:
        InvalidInputError: GARS_ANILIST_URL is not an address.
    """
    if not settings.anilist_client_id:
        return []
    address = urlsplit(settings.anilist_url)
    if address.scheme not in ("http", "https") or not re.fullmatch(r"[a-zA-Z0-9.\-:\[\]]+", address.netloc):
        raise InvalidInputError(
            f"GARS_ANILIST_URL={settings.anilist_url!r} is not an address", hint="such as https://graphql.anilist.co"
        )
    return [f"{address.scheme}://{address.netloc}"]


def open_experiment(settings: Settings) -> Experiment | None:
    """Read the A/B test that GARS_EXPERIMENT names; raises ``InvalidInputError`` if it cannot be read."""
    path = settings.experiment
    if path is None:
        return None
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"GARS_EXPERIMENT={str(path)!r}: {error.strerror}", hint="write it as docs/how-to/experiment.md shows"
        ) from error
    return experiment_file.read(text, where=str(path))


def file_sizes(settings: Settings) -> dict[str, int]:
    """Return the size in bytes of each SQLite store, with its write-ahead log."""
    return {name: _file_size(path) for name, path in sqlite_files(settings).items()}


def sqlite_files(settings: Settings) -> dict[str, Path]:
    """Return the files of the SQLite stores, by their content."""
    addresses = {
        "events": settings.event_log,
        "states": settings.state_store,
        "tombstones": settings.tombstones,
        "impressions": settings.impressions,
    }
    return {name: sqlite_path(name, address) for name, address in addresses.items() if scheme(address) == "sqlite"}


def _file_size(path: Path) -> int:
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _cassandra(name: str, address: str) -> object:
    return adapter("cassandra", "address").parse(name, address)


def _cassandra_impressions(name: str, address: str, settings: Settings) -> WritableImpressions:
    connection = adapter("cassandra", "connection").shared(_cassandra(name, address))
    module = adapter("cassandra", "impression_log")
    log = module.CassandraImpressionLog(connection, ttl_s=settings.impression_days * _DAY_S)
    return cast(WritableImpressions, log)
