"""``gars serve``: the whole online path in one process."""

from __future__ import annotations

import importlib
import logging
import os
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from gars.application.ports import Engine
from gars.bootstrap import load_engine, lock_home, open_service, training_data
from gars.config import Settings, from_environment
from gars.domain.errors import InvalidInputError
from gars.library.blas import one_thread
from gars.library.terminal import TerminalProgress


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: GARS_HOST or 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.  [default: GARS_PORT or 8000]")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")] = None,
    engine_factory: Annotated[str | None, typer.Option(hidden=True, help="For tests: module:function.")] = None,
) -> None:
    """Serve recommendations and the page until Ctrl-C."""
    from gars.entrypoints.api import server  # not at the top: `gars --help` should not import a web framework

    settings = from_environment(os.environ, home=home)
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    server.refuse_open(host, settings.service_token)
    server.free_port(host, port)  # before the slow part: a taken port should not cost a minute
    console = Console(stderr=True)
    with lock_home(settings):
        engine, about = (made_by(engine_factory), None) if engine_factory else load_engine(settings.models)
        dataset = training_data(settings, about) if about else None
        service = open_service(settings, engine, about=about, dataset=dataset, progress=TerminalProgress(console))
        with one_thread():
            server.run(service, host=host, port=port, on_ready=lambda address: _ready(console, settings, address))
    console.print("stopped", highlight=False)


def _ready(console: Console, settings: Settings, address: str) -> None:
    console.print(f"[green]✓[/] serving {settings.home} on {address}  (Ctrl-C stops)", highlight=False)


def made_by(factory: str) -> Engine:
    """The engine a test names as ``module:function``."""
    module, _, name = factory.partition(":")
    try:
        return cast(Engine, getattr(importlib.import_module(module), name)())
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInputError(f"--engine-factory {factory}: {error}", hint="give module:function") from error
