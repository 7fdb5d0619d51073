"""Opens the stores that the settings name: the only place that picks adapters, by the scheme of an address."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.lock import folder_lock
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.adapters.sites import anilist, myanimelist
from gars.adapters.sites.polite import PoliteClient
from gars.application.ports import ChangeFeed, ImpressionLog, ListSite, LocalEventLog, StateStore, Tombstones
from gars.config import Settings
from gars.domain import experiment as experiment_file
from gars.domain.errors import InvalidInputError
from gars.domain.experiment import Experiment


def lock_home(settings: Settings) -> AbstractContextManager[None]:
    """Hold GARS_HOME for this process; raises ``StorageError`` if another one serves from it."""
    return folder_lock(settings.home)


def open_event_log(settings: Settings) -> LocalEventLog:
    """The event log that GARS_EVENT_LOG names."""
    path = sqlite_path("GARS_EVENT_LOG", settings.event_log)
    return SqliteEventLog(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_state_store(settings: Settings) -> StateStore:
    """The state store that GARS_STATE_STORE names."""
    path = sqlite_path("GARS_STATE_STORE", settings.state_store)
    return SqliteStateStore(path, cache_size=settings.state_cache, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_tombstones(settings: Settings) -> Tombstones:
    """The tombstones that GARS_TOMBSTONES names."""
    path = sqlite_path("GARS_TOMBSTONES", settings.tombstones)
    return SqliteTombstones(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_impression_log(settings: Settings) -> ImpressionLog:
    """The impression log that GARS_IMPRESSIONS names."""
    path = sqlite_path("GARS_IMPRESSIONS", settings.impressions)
    return SqliteImpressionLog(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_sites(settings: Settings, *, patience_s: float) -> dict[str, ListSite]:
    """The sites that lists can be fetched from, by name; ``patience_s`` is how long to wait for a busy one."""
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


def open_change_feed(settings: Settings) -> ChangeFeed:
    """The change feed that GARS_CHANGE_FEED names."""
    if settings.change_feed != "memory:":
        raise InvalidInputError(
            f"GARS_CHANGE_FEED={settings.change_feed!r}: no such change feed", hint="this version knows memory:"
        )
    return MemoryChangeFeed()


def open_experiment(settings: Settings) -> Experiment | None:
    """The A/B test that GARS_EXPERIMENT names; raises ``InvalidInputError`` if it cannot be read."""
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


def file_size(path: Path) -> int:
    """Bytes of a SQLite file, its write-ahead log included."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def sqlite_path(name: str, address: str) -> Path:
    """The file of an address ``sqlite:PATH``; raises ``InvalidInputError`` for any other."""
    scheme, _, path = address.partition(":")
    if scheme != "sqlite" or not path:
        raise InvalidInputError(f"{name}={address!r}: no such store", hint="this version knows sqlite:PATH")
    return Path(path.removeprefix("//"))
