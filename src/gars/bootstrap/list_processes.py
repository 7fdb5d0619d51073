"""Wires the processes that make lists: their number, the model each opens, and its warm-up before the first request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection

from gars.adapters.processes import child, cores
from gars.adapters.processes.pool import ListProcesses
from gars.application.catalogue.about import About
from gars.application.recommend.engine import Engine
from gars.application.recommend.worker_pool import WorkerPool
from gars.bootstrap.logs import set_up_logs
from gars.bootstrap.model import load_version
from gars.bootstrap.warming import warm_engine
from gars.config import Settings
from gars.domain.errors import InvalidInputError
from gars.library.blas import one_thread
from gars.library.malloc import keep_freed_memory, release_start_memory


def open_worker_pool(
    settings: Settings, engine: Engine, about: About, *, load: Callable[[], Engine] | None = None
) -> WorkerPool | None:
    """Start GARS_PROCESSES processes with the model of ``engine``; return ``None`` if there are to be none.

    ``load`` opens the model in place of the folder of models; it is called in each process, so it must be importable.

    Raises:
        InvalidInputError: the stages run in other processes already.
    """
    if not settings.processes:
        return None
    if settings.recall or settings.rank:
        raise InvalidInputError(
            "GARS_PROCESSES are for lists made here, but GARS_RECALL or GARS_RANK has them made elsewhere",
            hint="leave GARS_PROCESSES at 0, and start more of: gars serve recall, gars serve rank",
        )
    return ListProcesses(
        partial(_make_lists, load or partial(load_version, settings.models, about.model_version), settings),
        engine.version,
        count=settings.processes,
        patience_s=settings.rank_budget_ms / 1000,
    )


def stay_off_their_cores(settings: Settings) -> None:
    """Restrict this process to the cores that GARS_PROCESSES leaves to it; call it before any thread is started."""
    if settings.processes:
        cores.stay_on(cores.share_out(cores.allowed(), settings.processes).service)


def _make_lists(load: Callable[[], Engine], settings: Settings, pipe: Connection) -> None:
    """Run in each process: load the model, warm it up, answer requests from the pipe."""
    keep_freed_memory()
    set_up_logs(settings, "lists")
    with one_thread():
        engine = load()
        warm_engine(engine)
        release_start_memory()
        child.answer_all(engine, pipe)
