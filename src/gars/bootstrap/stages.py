"""Wires the recall and rank services: each opens the promoted model and runs one stage of it for other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from gars.adapters.embedded.clock import SystemClock
from gars.application.catalogue.about import About
from gars.application.catalogue.catalogue import Catalogue
from gars.application.events.last_known import LastKnownStates
from gars.application.events.steady_clock import SteadyClock
from gars.application.ports import Clock, StateStore
from gars.application.recommend.engine import Engine
from gars.application.recommend.fallback_chain import FallbackChain
from gars.application.recommend.recommend import Recommend
from gars.application.recommend.similar import SimilarAnime
from gars.application.recommend.stages import RankService, RecallService, StagedEngine, TwoStages, two_stages
from gars.bootstrap.addresses import REDIS, adapter, scheme, unknown
from gars.bootstrap.model import load_engine, name_of, served_version
from gars.bootstrap.published import Published, open_published
from gars.bootstrap.stores import open_state_store
from gars.bootstrap.threads import threads_of
from gars.bootstrap.warming import warm_engine
from gars.config import Settings
from gars.datasets import snapshots
from gars.domain import history
from gars.domain.candidates import SERVICE_DEFAULTS
from gars.domain.errors import InvalidInputError
from gars.domain.user_state import UserState
from gars.runtime.live_service import LiveService
from gars.runtime.swap import Swap
from gars.runtime.workers import Workers


def open_recall(settings: Settings) -> RecallService | None:
    """Return the recall service that GARS_RECALL names, if any; it connects at the first request."""
    if not settings.recall:
        return None
    service: RecallService = adapter("services", "http").HttpRecall(
        *_addresses("GARS_RECALL", settings.recall),
        timeout_s=settings.retrieval_budget_ms / 1000,
        token=settings.service_token,
    )
    return service


def open_rank(settings: Settings) -> RankService | None:
    """Return the rank service that GARS_RANK names, if any; it connects at the first request."""
    if not settings.rank:
        return None
    service: RankService = adapter("services", "http").HttpRank(
        *_addresses("GARS_RANK", settings.rank),
        timeout_s=settings.rank_budget_ms / 1000,
        token=settings.service_token,
    )
    return service


def _addresses(name: str, text: str) -> list[str]:
    """Split addresses at commas; raises ``InvalidInputError`` if one is not of HTTP."""
    addresses = [one.strip().rstrip("/") for one in text.split(",")]
    for address in addresses:
        if scheme(address) not in ("http", "https") or not address.partition("://")[2]:
            raise unknown(name, address, "http://HOST:PORT", "several with commas")
    return addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class StageService:
    """Dependencies of the routes of the two services."""

    settings: Settings
    about: About
    clock: SteadyClock
    engine: Engine
    stages: TwoStages
    states: LastKnownStates
    recall: RecallService | None
    """Source of candidates for the lists that the rank service makes itself."""
    published: Published | None
    """Model data that the recall service compares its model with."""
    recommend: Recommend
    similar_anime: SimilarAnime
    threads: Workers

    def recalled_ids(self, user_id: str, *, k: int) -> Sequence[int]:
        """Return ids in the order of the retrieval stage, for a user's stored state."""
        known = history.from_state(self.states.get(user_id) or UserState(user_id=user_id))
        filters = msgspec.structs.replace(SERVICE_DEFAULTS, released_by=self.clock.now().date())
        ids: list[int] = self.engine.retrieve_ids(known, k=k, filters=filters).tolist()
        return ids

    def health(self) -> dict[str, str]:
        """Return ``"ok"`` or the error of the model, the one dependency of every request. May query Redis."""
        if self.published is not None:
            self.published.look(self.engine)
        return {"model": "ok" if len(self.engine.anime) else "the model's catalogue is empty"}

    def warnings(self) -> dict[str, str]:
        """Return problems that do not stop requests from being served, by component."""
        noticed = {
            "clock": self.clock.problem(),
            "state": self.states.problem,
            "recall": self.recall and self.recall.problem,
            "published": self.published and self.published.problem,
        }
        return {name: str(problem) for name, problem in noticed.items() if problem}

    def close(self) -> None:
        """Finish running requests, then close the connections."""
        self.threads.shutdown()
        self.states.close()
        if self.recall is not None:
            self.recall.close()
        if self.published is not None:
            self.published.close()


def open_stage(
    settings: Settings,
    engine: Engine,
    *,
    about: About | None = None,
    part: Literal["recall", "rank"],
    clock: Clock | None = None,
    states: StateStore | None = None,
) -> LiveService[StageService]:
    """Open a stage service over a model; tests may pass the states.

    Raises:
        InvalidInputError: GARS_STATE_STORE names states that one process keeps for itself, or the model has one stage.
    """
    if states is None:
        states = _open_states(settings)
    steady = SteadyClock(clock or SystemClock())
    known = LastKnownStates(states, settings.state_cache)
    recall = open_recall(settings) if part == "rank" else None
    published = open_published(settings) if part == "recall" else None
    about = about or About(model_version=engine.version, anime=len(engine.anime))

    def over(engine: Engine, about: About, threads: Workers) -> StageService:
        staged = StagedEngine(engine, recall=recall, rank=None)
        return StageService(
            settings=settings,
            about=about,
            clock=steady,
            engine=engine,
            stages=two_stages(engine),
            states=known,
            recall=recall,
            published=published,
            recommend=Recommend(engine=staged, states=known, clock=steady, fallback_chain=FallbackChain(staged)),
            similar_anime=SimilarAnime(engine=engine, catalogue=Catalogue(engine.anime)),
            threads=threads,
        )

    def load(current: StageService) -> tuple[StageService, str]:
        accepted = snapshots.accepted(settings.home)  # before the model: a change in between is loaded next time
        engine, about = load_engine(settings.models)
        made = over(engine, about, current.threads)
        warm_engine(made.engine)
        return made, name_of(about.model_version, accepted)

    threads = Workers(threads_of(settings), "gars-model")
    service = over(engine, about, threads)
    serving = name_of(about.model_version, snapshots.accepted(settings.home))
    return LiveService(Swap(service, serving, promoted=lambda: served_version(settings.models), load=load))


def _open_states(settings: Settings) -> StateStore:
    if scheme(settings.state_store) not in REDIS:
        raise InvalidInputError(
            "GARS_STATE_STORE is not Redis: only the process that keeps these states may read them",
            hint="set GARS_STATE_STORE=redis://HOST:PORT/0; or serve everything with: gars serve",
        )
    return open_state_store(settings)
