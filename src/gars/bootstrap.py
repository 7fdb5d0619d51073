"""Puts the service together: the only place that picks adapters, by the scheme of an address."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypedDict

from gars.adapters.embedded.change_feed import MemoryChangeFeed
from gars.adapters.embedded.clock import SystemClock
from gars.adapters.embedded.event_log import SqliteEventLog
from gars.adapters.embedded.impression_log import SqliteImpressionLog
from gars.adapters.embedded.lock import folder_lock
from gars.adapters.embedded.state_store import SqliteStateStore
from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.adapters.embedded.tombstones import SqliteTombstones
from gars.adapters.sites import anilist, myanimelist
from gars.adapters.sites.polite import PoliteClient
from gars.application.about import About
from gars.application.backfill import backfill
from gars.application.budgets import Budget
from gars.application.catalogue import Catalogue
from gars.application.export_user import ExportUser
from gars.application.forget_user import (
    ForgetUser,
    is_due,
    keep_forgotten,
    keep_impressions_forgotten,
    pass_tombstones,
)
from gars.application.group import RecommendToGroup
from gars.application.import_list import ImportList
from gars.application.impressions import ImpressionRecorder
from gars.application.ingest import Ingest
from gars.application.ladder import Ladder, Rung
from gars.application.list_cache import ListCache
from gars.application.paging import Pages
from gars.application.ports import ChangeFeed, Clock, Engine, EventLog, ImpressionLog, ListSite, StateStore, Tombstones
from gars.application.progress import Progress
from gars.application.recommend import Recommend
from gars.application.recover import recover
from gars.application.search import Search
from gars.application.shelves import Shelves
from gars.application.similar import SimilarAnime, SimilarUsers
from gars.application.steady_clock import SteadyClock
from gars.application.swap import Swap
from gars.application.trending import Trending
from gars.application.writer import Writer
from gars.config import Settings
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.domain import experiment as experiment_file
from gars.domain.errors import ArtefactError, GarsError, InvalidInputError, StorageError
from gars.domain.experiment import Experiment
from gars.library.recommender import Recommender
from gars.library.registry import Registry

logger = logging.getLogger(__name__)

_PATIENCE_S = 15.0
"""How long a request may wait for another site."""

VERSION = importlib.metadata.version("gars")


class KnownAnime:
    """The catalogue of the model that serves now: what the writer, which outlives models, takes events on."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def __contains__(self, anime_id: object) -> bool:
        return anime_id in self.catalogue


class _OfModel(TypedDict):
    """The parts of a service that another model replaces."""

    about: About
    engine: Engine
    catalogue: Catalogue
    recommend: Recommend
    pages: Pages
    shelves: Shelves
    group: RecommendToGroup
    similar_anime: SimilarAnime
    similar_users: SimilarUsers
    search: Search
    import_list: ImportList


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The online path, wired: what the HTTP routes call."""

    settings: Settings
    about: About
    clock: SteadyClock
    engine: Engine
    catalogue: Catalogue
    known_anime: KnownAnime
    log: EventLog
    states: StateStore
    tombstones: Tombstones
    impressions: ImpressionLog
    recorder: ImpressionRecorder
    feed: ChangeFeed
    writer: Writer
    recommend: Recommend
    pages: Pages
    trending: Trending
    lists: ListCache
    experiment: Experiment | None
    shelves: Shelves
    group: RecommendToGroup
    similar_anime: SimilarAnime
    similar_users: SimilarUsers
    search: Search
    import_list: ImportList
    sites: Mapping[str, ListSite]
    """Where lists may be fetched by name; empty where GARS_FETCH_LISTS is off."""
    export_user: ExportUser
    forget_user: ForgetUser
    budgets: Mapping[Rung, Budget]
    """How long each rung of the fallback ladder may take, and what came of it."""
    threads: ThreadPoolExecutor
    """Where requests run the models."""

    def health(self) -> dict[str, str]:
        """``"ok"`` or what is wrong, for each thing that a request needs. Writes to the disk, so may take a moment."""
        return {
            "model": "ok" if len(self.catalogue) else "the model's catalogue is empty",
            "log": str(self.writer.last_error or "") or _checked(self.log.check),
            "state": _checked(self.states.check),
        }

    def warnings(self) -> dict[str, str]:
        """What is not as it should be although requests are served."""
        return {
            name: str(said)
            for name, said in {"clock": self.clock.problem(), "impressions": self.recorder.last_error}.items()
            if said
        }

    def sizes(self) -> dict[str, int]:
        """Bytes on disk of each store, its write-ahead log included."""
        addresses = {
            "events": self.settings.event_log,
            "states": self.settings.state_store,
            "impressions": self.settings.impressions,
        }
        return {name: _file_size(_sqlite_path(name, address)) for name, address in addresses.items()}

    def close(self) -> None:
        """Finish what was accepted, send listeners home, close the files."""
        self.feed.close()
        self.writer.close()
        self.threads.shutdown()
        for budget in self.budgets.values():
            budget.close()
        self.recorder.close()
        self.log.close()
        self.states.close()
        self.tombstones.close()
        self.impressions.close()
        for site in self.sites.values():
            site.close()


def load_engine(models: Path) -> tuple[Engine, About]:
    """The promoted model of a folder of models, verified, and what its manifest says.

    Raises:
        ArtefactError: there is none, it is half-trained or damaged; the hint is the command that mends it.
    """
    current = models / "current"
    if not current.exists():
        if current.is_symlink():
            raise ArtefactError(
                f"{current} points to {current.readlink()}, which is gone",
                hint="see what there is with: gars model list, then: gars model promote VERSION",
            )
        raise ArtefactError(f"there is no trained model in {models}", hint="train one with: gars train")
    try:
        loaded = Recommender.load(current)
    except GarsError:
        raise
    except Exception as error:  # whatever a damaged file makes numpy or msgspec raise
        raise ArtefactError(
            f"the model in {current.resolve()} cannot be read: {type(error).__name__}: {error}",
            hint="train it again with: gars train, or go back with: gars model rollback",
        ) from error
    manifest = loaded.manifest
    if manifest is None:  # never for a loaded one
        raise ArtefactError(f"the model in {current} has no manifest", hint="train it again with: gars train")
    facts = manifest.data
    about = About(
        model_version=manifest.version,
        trained=manifest.created,
        metrics=manifest.metrics or None,
        data_name=str(facts.get("name", "unknown")),
        data_hash=facts.get("content_hash"),
        simulated=bool(facts.get("simulated", False)),
        anime=int(facts.get("items", len(loaded.engine.anime))),
        users=int(facts.get("users", 0)),
        interactions=int(facts.get("rows", 0)),
    )
    return loaded.engine, about


def training_data(settings: Settings, about: About) -> Dataset | None:
    """The data set a model was trained on, if it is still there unchanged: its users' histories are needed once."""
    path = settings.datasets / about.data_name
    if not path.is_dir():
        logger.warning("the data set %s is not in %s: its users start without history", about.data_name, path.parent)
        return None
    dataset = Dataset.open(path)
    if about.data_hash is not None and dataset.content_hash != about.data_hash:
        logger.warning("the data set in %s is not the one the model was trained on", path)
    return dataset


def lock_home(settings: Settings) -> AbstractContextManager[None]:
    """Hold GARS_HOME for this process; raises ``StorageError`` if another one serves from it."""
    return folder_lock(settings.home)


def _checked(check: Callable[[], None]) -> str:
    try:
        check()
    except StorageError as error:
        return str(error)
    return "ok"


def open_event_log(settings: Settings) -> EventLog:
    """The event log that GARS_EVENT_LOG names."""
    path = _sqlite_path("GARS_EVENT_LOG", settings.event_log)
    return SqliteEventLog(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_state_store(settings: Settings) -> StateStore:
    """The state store that GARS_STATE_STORE names."""
    path = _sqlite_path("GARS_STATE_STORE", settings.state_store)
    return SqliteStateStore(path, cache_size=settings.state_cache, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_tombstones(settings: Settings) -> Tombstones:
    """The tombstones that GARS_TOMBSTONES names."""
    path = _sqlite_path("GARS_TOMBSTONES", settings.tombstones)
    return SqliteTombstones(path, busy_timeout_s=settings.busy_timeout_ms / 1000)


def open_impression_log(settings: Settings) -> ImpressionLog:
    """The impression log that GARS_IMPRESSIONS names."""
    path = _sqlite_path("GARS_IMPRESSIONS", settings.impressions)
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


def _file_size(path: Path) -> int:
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _sqlite_path(name: str, address: str) -> Path:
    scheme, _, path = address.partition(":")
    if scheme != "sqlite" or not path:
        raise InvalidInputError(f"{name}={address!r}: no such store", hint="this version knows sqlite:PATH")
    return Path(path.removeprefix("//"))


def open_budgets(settings: Settings) -> dict[Rung, Budget]:
    """The time each rung of the fallback ladder has."""
    limits_ms: dict[Rung, int] = {
        "ranking": settings.rank_budget_ms,
        "retrieval": settings.retrieval_budget_ms,
        "similar": settings.similar_budget_ms,
        "trending": settings.trending_budget_ms,
        "popular": 0,
    }
    return {
        rung: Budget(rung, limit_ms / 1000, threads=max(1, settings.threads)) for rung, limit_ms in limits_ms.items()
    }


def open_service(
    settings: Settings,
    engine: Engine,
    *,
    about: About | None = None,
    dataset: Dataset | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
    after_step: Callable[[int], None] | None = None,
) -> Service:
    """Open the stores, fold in the data set's histories, replay what a crash left behind: ready to serve.

    Raises:
        InvalidInputError: an address in the settings names no adapter.
        StorageError: a store cannot be opened, read or written.
    """
    experiment = open_experiment(settings)
    steady = SteadyClock(clock or SystemClock())
    known_anime = KnownAnime(Catalogue(engine.anime))
    feed = open_change_feed(settings)
    log = open_event_log(settings)
    states = open_state_store(settings)
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
    replayed = recover(log, states)
    pass_tombstones(log, states, tombstones)
    keep_impressions_forgotten(impressions, tombstones)
    if replayed:
        logger.warning("replayed %d event(s) that the user states did not hold yet", replayed)
    ingest = Ingest(
        log=log,
        states=states,
        feed=feed,
        clock=steady,
        known_anime=known_anime,
        after_step=after_step or (lambda _: None),
    )
    writer = Writer(ingest)
    recorder = ImpressionRecorder(
        impressions, steady, sample=settings.impression_sample, keep=timedelta(days=settings.impression_days)
    )
    budgets = open_budgets(settings)
    trending = Trending(log, steady)
    trending.refresh()

    lists = ListCache(settings.list_cache)

    def forget_shown(user_id: str) -> int:
        trending.forget(user_id)
        lists.forget(user_id)
        return recorder.forget(user_id)

    return Service(
        settings=settings,
        clock=steady,
        known_anime=known_anime,
        log=log,
        states=states,
        tombstones=tombstones,
        impressions=impressions,
        recorder=recorder,
        feed=feed,
        writer=writer,
        sites=open_sites(settings, patience_s=_PATIENCE_S) if settings.fetch_lists else {},
        export_user=ExportUser(log=log, states=states, impressions=impressions, clock=steady),
        forget_user=ForgetUser(
            log=log, states=states, tombstones=tombstones, forget_impressions=forget_shown, clock=steady
        ),
        budgets=budgets,
        trending=trending,
        lists=lists,
        experiment=experiment,
        threads=ThreadPoolExecutor(max(1, settings.threads), thread_name_prefix="gars-model"),
        **_of_model(
            engine,
            about or About(model_version=engine.version, anime=len(known_anime.catalogue)),
            known_anime.catalogue,
            states=states,
            tombstones=tombstones,
            recorder=recorder,
            writer=writer,
            budgets=budgets,
            trending=trending,
            lists=lists,
            experiment=experiment,
            explore=settings.explore,
            clock=steady,
        ),
    )


def _of_model(
    engine: Engine,
    about: About,
    catalogue: Catalogue,
    *,
    states: StateStore,
    tombstones: Tombstones,
    recorder: ImpressionRecorder,
    writer: Writer,
    budgets: Mapping[Rung, Budget],
    trending: Trending,
    lists: ListCache,
    experiment: Experiment | None,
    explore: float,
    clock: Clock,
) -> _OfModel:
    recommend = Recommend(
        engine=engine,
        states=states,
        clock=clock,
        record=recorder.record,
        experiment=experiment,
        explore=explore,
        ladder=Ladder(engine, budgets=budgets, trending=trending.ids),
        lists=lists,
    )
    pages = Pages(recommend)
    return _OfModel(
        about=about,
        engine=engine,
        catalogue=catalogue,
        recommend=recommend,
        pages=pages,
        shelves=Shelves(engine=engine, catalogue=catalogue, states=states, clock=clock, trending=trending, pages=pages),
        group=RecommendToGroup(engine=engine, catalogue=catalogue, states=states, clock=clock),
        similar_anime=SimilarAnime(engine=engine, catalogue=catalogue),
        similar_users=SimilarUsers(
            engine=engine,
            catalogue=catalogue,
            states=states,
            is_forgotten=lambda user_id: tombstones.find(user_id) is not None,
        ),
        search=Search(MemoryTitleSearch(catalogue.anime)),
        import_list=ImportList(submit=writer.submit, states=states, catalogue=catalogue, clock=clock),
    )


def with_model(service: Service, engine: Engine, about: About) -> Service:
    """The same service over another model: stores, writer and threads are shared, nothing is reopened."""
    return replace(
        service,
        **_of_model(
            engine,
            about,
            Catalogue(engine.anime),
            states=service.states,
            tombstones=service.tombstones,
            recorder=service.recorder,
            writer=service.writer,
            budgets=service.budgets,
            trending=service.trending,
            lists=service.lists,
            experiment=service.experiment,
            explore=service.settings.explore,
            clock=service.clock,
        ),
    )


def warm(service: Service) -> None:
    """Make one answer of each kind, so that no reader waits for what is loaded or compiled on first use.

    Raises:
        ArtefactError: the model cannot make a list.
    """
    some = service.states.user_ids(limit=1)
    for user_id in [*some, "somebody nobody has heard of"]:
        made = service.recommend(user_id)
        if made.fallback is not None:
            made = service.recommend(user_id)  # the first call may have been late for its budget
        if made.fallback is not None:
            raise ArtefactError(
                f"the model {made.model_version} cannot make a list: the first one was {made.fallback}",
                hint="the service's log says why; go back with: gars model rollback",
            )
    for user_id in some:
        service.similar_users(user_id)
    for anime in service.catalogue.anime[:1]:
        service.similar_anime(anime.anime_id)
        service.search(anime.title)


@dataclass(slots=True)
class Live:
    """A service whose model can be replaced while it runs, and how far it is between its start and its end."""

    swap: Swap[Service]
    phase: Literal["starting", "ready", "stopping"] = "ready"

    @property
    def current(self) -> Service:
        """The service over the model that serves now; a request takes it once and keeps to it."""
        return self.swap.current

    def warnings(self) -> dict[str, str]:
        """What is not as it should be although requests are served."""
        refused = {"model": self.swap.problem.message} if self.swap.problem else {}
        return {**refused, **self.current.warnings()}


def live(service: Service) -> Live:
    """The service, and the eye on the promoted model of its folder."""
    models = service.settings.models

    def load(current: Service) -> tuple[Service, str]:
        engine, about = load_engine(models)
        made = with_model(current, engine, about)
        warm(made)
        made.known_anime.catalogue = made.catalogue
        if about.data_hash != current.about.data_hash:
            logger.warning("users of the data set %s start with their history after a restart", about.data_name)
        return made, about.model_version

    return Live(Swap(service, service.about.model_version, promoted=Registry(models).current, load=load))
