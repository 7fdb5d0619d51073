"""Wires the online path from stores and a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import partial
from typing import TypedDict

from gars.adapters.embedded.clock import SystemClock
from gars.adapters.embedded.integrity import FileChecks
from gars.adapters.embedded.title_search import MemoryTitleSearch
from gars.application.catalogue.about import About
from gars.application.catalogue.catalogue import Catalogue
from gars.application.catalogue.covers import Covers
from gars.application.catalogue.search import Search
from gars.application.events.export_user import ExportUser
from gars.application.events.forget_user import ForgetUser
from gars.application.events.import_list import ImportList
from gars.application.events.steady_clock import SteadyClock
from gars.application.events.writer import Writer
from gars.application.impressions.recorder import ImpressionRecorder
from gars.application.ports import ChangeFeed, Clock, EventLog, ImpressionLog, ListSite, StateStore, Tombstones, Trends
from gars.application.recommend.ask import Ask
from gars.application.recommend.compare import CompareUsers
from gars.application.recommend.engine import Engine
from gars.application.recommend.fallback_chain import FallbackChain, FallbackLevel
from gars.application.recommend.group import RecommendToGroup
from gars.application.recommend.list_cache import ListCache
from gars.application.recommend.list_request import ListRequest
from gars.application.recommend.recommend import Recommend
from gars.application.recommend.shelves import Shelves
from gars.application.recommend.similar import SimilarAnime, SimilarUsers
from gars.application.recommend.stages import RankService, RecallService, StagedEngine
from gars.application.recommend.worker_pool import WorkerPool, WorkerPoolEngine
from gars.bootstrap.addresses import is_cluster, scheme
from gars.bootstrap.list_processes import open_worker_pool
from gars.bootstrap.online import OnlineStores, is_forgotten, open_cluster, open_local
from gars.bootstrap.stages import open_rank, open_recall
from gars.bootstrap.stores import file_sizes, open_covers, open_experiment, open_sites, sqlite_files
from gars.bootstrap.threads import threads_of
from gars.bootstrap.variants import open_others, refuse_unknown_titles
from gars.config import Settings
from gars.datasets.dataset import Dataset
from gars.domain.errors import StorageError
from gars.domain.experiment import Experiment
from gars.runtime.budgets import Budget
from gars.runtime.progress import Progress
from gars.runtime.workers import Workers

logger = logging.getLogger(__name__)

UNKNOWN_USER = "unknown user of the health check"
"""Id of a user without events, for lists that check or warm up the service."""
_LEFTOVERS = 2
"""Late calls of a stage that may still run before it is refused: a single one may be a momentary delay."""
_PATIENCE_S = 15.0
"""Maximum time in seconds that a request waits for another site."""


class _OfModel(TypedDict):
    """The parts of a service that are replaced with its model."""

    about: About
    engine: Engine
    worker_pool: WorkerPool | None
    catalogue: Catalogue
    recommend: Recommend
    shelves: Shelves
    group: RecommendToGroup
    similar_anime: SimilarAnime
    similar_users: SimilarUsers
    compare_users: CompareUsers
    search: Search
    ask: Ask
    import_list: ImportList


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The parts of a service that stay when its model is replaced: stores, threads, budgets and caches."""

    settings: Settings
    clock: SteadyClock
    stores: OnlineStores
    recorder: ImpressionRecorder
    writer: Writer
    lists: ListCache
    experiment: Experiment | None
    others: Mapping[str, Engine]
    """The models of the experiment's variants that have one of their own."""
    sites: Mapping[str, ListSite]
    """Sites that lists can be fetched from by name; empty if GARS_FETCH_LISTS is off."""
    covers: Covers | None
    """Cover images that the service fetches; ``None`` if GARS_COVERS is off or direct."""
    export_user: ExportUser
    forget_user: ForgetUser
    recall: RecallService | None
    """The retrieval stage in another process, if GARS_RECALL names one."""
    rank: RankService | None
    """The ranking stage in another process, if GARS_RANK names one."""
    budgets: Mapping[FallbackLevel, Budget]
    """Time budget of each level of the fallback chain, with counts of its outcomes."""
    threads: Workers
    """Threads in which requests run the models."""
    checks: FileChecks
    """Integrity checks of the stores' SQLite files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Shared):
    """The wired online path: dependencies of the HTTP routes."""

    about: About
    engine: Engine
    catalogue: Catalogue
    recommend: Recommend
    shelves: Shelves
    group: RecommendToGroup
    similar_anime: SimilarAnime
    similar_users: SimilarUsers
    compare_users: CompareUsers
    search: Search
    ask: Ask
    import_list: ImportList
    worker_pool: WorkerPool | None
    """Processes that make the lists, if GARS_PROCESSES is set."""

    @property
    def log(self) -> EventLog:
        """The event log."""
        return self.stores.log

    @property
    def states(self) -> StateStore:
        """User states by id."""
        return self.stores.states

    @property
    def tombstones(self) -> Tombstones:
        """Tombstones of forgotten users."""
        return self.stores.tombstones

    @property
    def impressions(self) -> ImpressionLog:
        """The log of shown lists."""
        return self.stores.impressions

    @property
    def feed(self) -> ChangeFeed:
        """The feed of changes of user states."""
        return self.stores.feed

    @property
    def trending(self) -> Trends:
        """Titles that are trending."""
        return self.stores.trends

    def health(self) -> dict[str, str]:
        """Return ``"ok"`` or the error of each dependency of a request. May take a moment: it writes to the disk.

        In a cluster a list needs the model only: an engine that is away is a warning, and no reason to send readers to
        another process that cannot reach it either.
        """
        model = {"model": self._model_problem() or "ok"}
        if is_cluster(self.settings):
            return model
        return {
            **model,
            "log": str(self.writer.last_error or "") or _checked(self.log.check),
            "state": _checked(self.states.check),
        }

    def _model_problem(self) -> str | None:
        """Return why no list can be made. Until the first list was made, each call tries to make one."""
        if not len(self.catalogue):
            return "the model's catalogue is empty"
        if not self.recommend.has_made_a_list:
            try:
                self.recommend(ListRequest(user_id=UNKNOWN_USER, k=1))
            except Exception as error:  # any failure: with it every list is an error
                return f"no list can be made: {type(error).__name__}: {error}"
        return None

    def warnings(self) -> dict[str, str]:
        """Return problems that do not stop requests from being served, by component."""
        noticed: dict[str, object] = {"clock": self.clock.problem(), "impressions": self.recorder.last_error}
        if is_cluster(self.settings):
            noticed["log"] = self.writer.last_error
        for name, elsewhere in (("recall", self.recall), ("rank", self.rank), ("processes", self.worker_pool)):
            if elsewhere is not None:
                noticed[name] = elsewhere.problem
        found = {name: str(problem) for name, problem in noticed.items() if problem}
        return found | self.stores.problems() | self.checks.problems()

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each SQLite store, with its write-ahead log."""
        return file_sizes(self.settings)

    def close_worker_pool(self) -> None:
        """Stop the processes that make lists, if any; from then on lists are made in this process."""
        if self.worker_pool is not None:
            self.worker_pool.close()

    def close(self) -> None:
        """Finish accepted work, close the subscriptions and the files."""
        self.feed.close()
        self.writer.close()
        self.threads.shutdown()
        self.recorder.close()
        self.checks.close()
        self.stores.close()
        for site in self.sites.values():
            site.close()
        for service in (self.recall, self.rank):
            if service is not None:
                service.close()
        self.close_worker_pool()


def _checked(check: Callable[[], None]) -> str:
    try:
        check()
    except StorageError as error:
        return str(error)
    return "ok"


def open_budgets(settings: Settings) -> dict[FallbackLevel, Budget]:
    """Return the time budget of each level of the fallback chain."""
    limits_ms: dict[FallbackLevel, int] = {
        "ranking": settings.rank_budget_ms,
        "retrieval": settings.retrieval_budget_ms,
        "similar": settings.similar_budget_ms,
        "trending": settings.trending_budget_ms,
        "popular": 0,
    }
    leftovers = max(_LEFTOVERS, threads_of(settings))
    return {level: Budget(level, limit_ms / 1000, threads=leftovers) for level, limit_ms in limits_ms.items()}


def open_service(
    settings: Settings,
    engine: Engine,
    *,
    about: About | None = None,
    dataset: Dataset | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
    after_step: Callable[[int], None] | None = None,
    load: Callable[[], Engine] | None = None,
) -> Service:
    """Open the stores, fold in the data set's histories, and replay events after a crash. → a service ready to serve

    ``load`` opens the same engine in GARS_PROCESSES, if it is not in the folder of models.

    Raises:
        InvalidInputError: an address in the settings names no adapter.
        StorageError: a store cannot be opened, read or written.
    """
    experiment = open_experiment(settings)
    steady = SteadyClock(clock or SystemClock())
    catalogue = Catalogue(engine.anime)
    if is_cluster(settings):
        stores = open_cluster(settings, clock=steady, known_anime=catalogue)
    else:
        stores = open_local(
            settings, clock=steady, known_anime=catalogue, dataset=dataset, progress=progress, after_step=after_step
        )
    writer = Writer(stores.takes)
    steady.compare(stores.newest)
    recorder = ImpressionRecorder(
        stores.impressions,
        steady,
        sample=settings.impression_sample,
        # from Kafka they go to Cassandra, which expires them itself
        keep=None if scheme(settings.impressions) == "kafka" else timedelta(days=settings.impression_days),
        known=stores.newest,
        max_bytes=settings.impression_bytes,
    )
    budgets = open_budgets(settings)
    recall, rank = open_recall(settings), open_rank(settings)
    others = open_others(settings, experiment)
    refuse_unknown_titles(engine, others)
    about = about or About(model_version=engine.version, anime=len(catalogue))
    lists = ListCache(settings.list_cache)

    def forget_shown(user_id: str) -> int:
        stores.trends.forget(user_id)
        lists.forget(user_id)
        return recorder.forget(user_id)

    shared = Shared(
        settings=settings,
        clock=steady,
        stores=stores,
        recorder=recorder,
        writer=writer,
        sites=open_sites(settings, patience_s=_PATIENCE_S) if settings.fetch_lists else {},
        covers=open_covers(settings),
        export_user=ExportUser(
            history=stores.history, states=stores.states, impressions=stores.impressions, clock=steady
        ),
        forget_user=ForgetUser(
            log=stores.log,
            history=stores.history,
            states=stores.states,
            tombstones=stores.tombstones,
            forget_impressions=forget_shown,
            clock=steady,
        ),
        recall=recall,
        rank=rank,
        budgets=budgets,
        lists=lists,
        experiment=experiment,
        others=others,
        threads=Workers(threads_of(settings), "gars-model"),
        checks=FileChecks(sqlite_files(settings)),
    )
    worker_pool = open_worker_pool(settings, engine, about, load=load)
    return Service(
        **{part.name: getattr(shared, part.name) for part in fields(Shared)},
        **_of_model(shared, engine, about, catalogue, worker_pool),
    )


def _of_model(
    shared: Shared, engine: Engine, about: About, catalogue: Catalogue, worker_pool: WorkerPool | None
) -> _OfModel:
    stores, clock = shared.stores, shared.clock
    states, trends = stores.states, stores.trends
    lister: Engine = engine
    if worker_pool is not None:
        lister = WorkerPoolEngine(engine, worker_pool)
    elif shared.recall is not None or shared.rank is not None:
        lister = StagedEngine(engine, recall=shared.recall, rank=shared.rank)

    def fallback_chain(made_by: Engine) -> FallbackChain:
        return FallbackChain(made_by, budgets=shared.budgets, trending=trends.ids)

    of_lister = fallback_chain(lister)
    recommend = Recommend(
        engine=lister,
        states=states,
        clock=clock,
        record=shared.recorder.record,
        experiment=shared.experiment,
        explore=shared.settings.explore,
        fallback_chain=of_lister,
        lists=shared.lists,
        others={name: (other, fallback_chain(other)) for name, other in shared.others.items()},
    )
    search = Search(MemoryTitleSearch(catalogue.anime))
    return _OfModel(
        about=about,
        engine=engine,
        catalogue=catalogue,
        worker_pool=worker_pool,
        recommend=recommend,
        shelves=Shelves(engine=engine, catalogue=catalogue, states=states, clock=clock, trending=trends),
        group=RecommendToGroup(engine=engine, catalogue=catalogue, states=states, clock=clock),
        similar_anime=SimilarAnime(engine=engine, catalogue=catalogue),
        compare_users=CompareUsers(engine=engine, states=states),
        similar_users=SimilarUsers(
            engine=engine,
            catalogue=catalogue,
            states=states,
            is_forgotten=partial(is_forgotten, stores.tombstones),
        ),
        search=search,
        ask=Ask(engine=engine, catalogue=catalogue, items=of_lister.items, search=search, clock=clock),
        import_list=ImportList(
            submit=shared.writer.submit,
            states=states,
            catalogue=catalogue,
            clock=clock,
            rated_until=about.coverage.rated_until if about.coverage else None,
        ),
    )


def with_model(service: Service, engine: Engine, about: About) -> Service:
    """Return the service over another model: stores, writer and threads are shared, nothing is reopened.

    Processes that make lists are started for the new model; the caller closes those of ``service``.
    """
    refuse_unknown_titles(engine, service.others)
    pool = open_worker_pool(service.settings, engine, about)
    return replace(service, **_of_model(service, engine, about, Catalogue(engine.anime), pool))
