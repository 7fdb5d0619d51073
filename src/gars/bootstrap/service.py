"""The online path, wired from stores and a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypedDict

from gars.adapters.embedded.clock import SystemClock
from gars.adapters.embedded.title_search import MemoryTitleSearch
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
from gars.application.ports import (
    ChangeFeed,
    Clock,
    Engine,
    EventHistory,
    EventLog,
    ImpressionLog,
    ListSite,
    StateStore,
    Tombstones,
)
from gars.application.progress import Progress
from gars.application.recommend import Recommend
from gars.application.recover import recover
from gars.application.search import Search
from gars.application.shelves import Shelves
from gars.application.similar import SimilarAnime, SimilarUsers
from gars.application.steady_clock import SteadyClock
from gars.application.trending import Trending
from gars.application.writer import Writer
from gars.bootstrap.stores import (
    file_size,
    open_change_feed,
    open_event_log,
    open_experiment,
    open_impression_log,
    open_sites,
    open_state_store,
    open_tombstones,
    sqlite_path,
)
from gars.config import Settings
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.domain.errors import StorageError
from gars.domain.experiment import Experiment

logger = logging.getLogger(__name__)

_PATIENCE_S = 15.0
"""How long a request may wait for another site."""


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
    history: EventHistory
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
        return {name: file_size(sqlite_path(name, address)) for name, address in addresses.items()}

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


def _checked(check: Callable[[], None]) -> str:
    try:
        check()
    except StorageError as error:
        return str(error)
    return "ok"


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
        history=log,
        states=states,
        tombstones=tombstones,
        impressions=impressions,
        recorder=recorder,
        feed=feed,
        writer=writer,
        sites=open_sites(settings, patience_s=_PATIENCE_S) if settings.fetch_lists else {},
        export_user=ExportUser(history=log, states=states, impressions=impressions, clock=steady),
        forget_user=ForgetUser(
            log=log,
            history=log,
            states=states,
            tombstones=tombstones,
            forget_impressions=forget_shown,
            clock=steady,
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
