"""``gars serve``: the whole online path in one process."""

from __future__ import annotations

import enum
import importlib
import os
import threading
import time
import webbrowser
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from rich.console import Console
from rich.text import Text

from gars.application.catalogue.about import About
from gars.application.recommend.engine import Engine
from gars.bootstrap import load_engine, lock_home, open_service, training_data
from gars.bootstrap.collector import collecting, open_collector
from gars.bootstrap.list_processes import stay_off_their_cores
from gars.bootstrap.logs import announce, set_up_logs
from gars.bootstrap.stages import open_stage
from gars.bootstrap.traces import tracing_by
from gars.bootstrap.warming import warm_engine
from gars.config import Settings, from_environment
from gars.domain.errors import InvalidInputError
from gars.library.blas import one_thread
from gars.library.malloc import resident_mb
from gars.library.terminal import TerminalProgress


class Part(enum.StrEnum):
    """The parts of the service that a process can serve."""

    ALL = "all"
    CLICKS = "clicks"
    RECALL = "recall"
    RANK = "rank"


def serve(
    part: Annotated[
        Part,
        typer.Argument(
            help="all: the page and every route. For a cluster: clicks only takes events in, recall finds candidates, "
            "rank puts them in order."
        ),
    ] = Part.ALL,
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: GARS_HOST or 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.  [default: GARS_PORT or 8000]")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes that make lists for it: for many users, a core each.  [default: GARS_PROCESSES or 0]",
        ),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser when it is served.")] = False,
    engine_factory: Annotated[str | None, typer.Option(hidden=True, help="For tests: module:function.")] = None,
) -> None:
    """Serve recommendations and the page until Ctrl-C."""
    started = time.perf_counter()
    from gars.entrypoints.api import server  # not at the top: `gars --help` should not import a web framework

    settings = from_environment(os.environ, home=home)
    if processes is not None:
        if processes and part is not Part.ALL:
            raise InvalidInputError(
                f"--processes make whole lists, and gars serve {part} does not",
                hint=f"leave it out; for more at once, start several: gars serve {part}",
            )
        settings = replace(settings, processes=processes)
    if open_page and part is not Part.ALL:
        raise InvalidInputError(f"gars serve {part} has no page to open", hint="leave out --open")
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    name = "serve" if part is Part.ALL else part.value
    set_up_logs(settings, name)
    server.refuse_open(host, settings.service_token)
    if "GARS_FETCH_LISTS" not in os.environ and not settings.service_token:
        settings = replace(settings, fetch_lists=True)  # no token: it listens on this machine alone
    if "GARS_COVERS" not in os.environ and not settings.service_token:
        settings = replace(settings, covers="ask")
    server.free_port(host, port)  # before the slow part: a taken port should not cost a minute
    console = Console(stderr=True)
    with tracing_by(settings, name):  # what was recorded is exported after the stores are closed
        if part is Part.ALL:
            _serve_all(settings, host, port, console, engine_factory, started, open_page)
        elif part is Part.CLICKS:
            _serve_clicks(settings, host, port, console, engine_factory, started)
        else:
            stage: Literal["recall", "rank"] = "recall" if part is Part.RECALL else "rank"
            _serve_stage(settings, stage, host, port, console, engine_factory, started)
    _print(console, settings, "stopped")


def _serve_all(
    settings: Settings,
    host: str,
    port: int,
    console: Console,
    engine_factory: str | None,
    started: float,
    open_page: bool,
) -> None:
    from gars.entrypoints.api import server

    stay_off_their_cores(settings)
    with lock_home(settings):
        engine, about = (made_by(engine_factory), None) if engine_factory else load_engine(settings.models)
        dataset = training_data(settings, about) if about else None
        service = open_service(
            settings,
            engine,
            about=about,
            dataset=dataset,
            progress=TerminalProgress(console),
            load=partial(made_by, engine_factory) if engine_factory else None,
        )
        with one_thread():
            server.run(
                service,
                host=host,
                port=port,
                on_ready=lambda address: _ready(console, settings, address, started, open_page),
            )


def _serve_clicks(
    settings: Settings, host: str, port: int, console: Console, engine_factory: str | None, started: float
) -> None:
    from gars.entrypoints.api import server
    from gars.entrypoints.clicks.app import create_app

    if engine_factory:
        engine = made_by(engine_factory)
        running = collecting(settings, engine.anime, About(model_version=engine.version, anime=len(engine.anime)))
    else:
        running = open_collector(settings)
    try:
        server.listen(
            create_app(running),
            running,
            settings,
            host=host,
            port=port,
            on_ready=lambda address: _ready(console, settings, address, started),
        )
    finally:
        running.current.close()


def _serve_stage(
    settings: Settings,
    part: Literal["recall", "rank"],
    host: str,
    port: int,
    console: Console,
    engine_factory: str | None,
    started: float,
) -> None:
    from gars.entrypoints.api import server
    from gars.entrypoints.stages.app import create_app

    engine, about = (made_by(engine_factory), None) if engine_factory else load_engine(settings.models)
    running = open_stage(settings, engine, about=about, part=part)
    try:
        with one_thread():
            server.listen(
                create_app(running, part),
                running,
                settings,
                host=host,
                port=port,
                warm_up=lambda: warm_engine(running.current.engine),
                on_ready=lambda address: _ready(console, settings, address, started),
            )
    finally:
        running.current.close()


def _ready(console: Console, settings: Settings, address: str, started: float, open_page: bool = False) -> None:
    memory, seconds = resident_mb(), time.perf_counter() - started
    takes = "" if memory is None else f"{memory:,.0f} MB of memory; "
    _print(
        console,
        settings,
        f"[green]✓[/] serving {settings.home} on {address}  (ready in {seconds:.1f} s; {takes}Ctrl-C stops)",
    )
    if open_page:  # in a thread: a browser in the terminal returns when it is closed
        threading.Thread(target=open_in_browser, args=(console, settings, address), daemon=True).start()


def open_in_browser(console: Console, settings: Settings, address: str) -> None:
    """Open the page in the local browser, or print its address if there is none."""
    if not webbrowser.open(address):
        _print(console, settings, f"no browser could be opened here; the page is on {address}")


def _print(console: Console, settings: Settings, text: str) -> None:
    """For who sits at the terminal; where programs read the log it is a line of that."""
    if settings.log_format == "json":
        announce(Text.from_markup(text).plain)
    else:
        console.print(text, highlight=False)


def made_by(factory: str) -> Engine:
    """The engine a test names as ``module:function``."""
    module, _, name = factory.partition(":")
    try:
        return cast(Engine, getattr(importlib.import_module(module), name)())
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInputError(f"--engine-factory {factory}: {error}", hint="give module:function") from error
