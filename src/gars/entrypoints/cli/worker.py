"""``gars worker``: processes that follow the log of a cluster."""

from __future__ import annotations

import logging
import os
import signal
import threading
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.bootstrap.cluster import history_worker
from gars.bootstrap.logs import set_up_logs
from gars.bootstrap.traces import tracing_by
from gars.config import from_environment
from gars.entrypoints.worker.history import run

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Follow the log of a cluster.")


@app.callback()
def _worker() -> None:
    """One command each; more will come."""


@app.command()
def history(
    home: Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")] = None,
    heartbeat: Annotated[Path | None, typer.Option(help="File that is touched as long as all is well.")] = None,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left.")] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Write everything again that Kafka still has, and end.")
    ] = False,
) -> None:
    """Bring events and shown lists from Kafka to the history in Cassandra until Ctrl-C; any number may run."""
    settings = from_environment(os.environ, home=home)
    set_up_logs(settings, "history")
    logging.getLogger("cassandra").setLevel(logging.ERROR)
    console = Console(stderr=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # a group of its own begins at the first record, and leaves alone how far the others are
    group = f"history-again-{uuid.uuid4().hex}" if from_start else "history"
    with tracing_by(settings, "history"), history_worker(settings, group=group) as worker:
        console.print("[green]✓[/] the history follows the log  (Ctrl-C stops)", highlight=False)
        run(worker.keep, stop, heartbeat=heartbeat, is_done=worker.is_done if once or from_start else None)
    console.print(f"stopped; {worker.keep.kept} record(s) written", highlight=False)
