"""``gars stack``: the cluster profile's engines and services on this machine, as processes."""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gars.bootstrap.logs import announce, set_up_logs
from gars.config import Settings, from_environment
from gars.domain.errors import InvalidInputError
from gars.library.terminal import TerminalProgress
from gars.stack import plan
from gars.stack.engine import Engine
from gars.stack.plan import Stack
from gars.stack.running import Running
from gars.stack.watch import watch

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Start, look at and stop the engines and services of the cluster profile on this machine.",
)
Home = Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")]
Names = Annotated[list[str] | None, typer.Argument(help="Only these parts.  [default: all]")]


@app.command()
def install(names: Names = None, home: Home = None) -> None:
    """Install what the engines need into GARS_ENGINES; what is installed already is kept."""
    progress = TerminalProgress(Console(stderr=True))
    for part in _stack(home).chosen(names or []):
        part.install(progress)


@app.command()
def up(
    names: Names = None,
    home: Home = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Take free ports in place of the usual ones.")
    ] = False,
    watched: Annotated[
        bool, typer.Option("--watch", help="Stay, start again what dies, and stop everything on Ctrl-C or SIGTERM.")
    ] = False,
    engine_factory: Annotated[str | None, typer.Option(hidden=True, help="For tests: module:function.")] = None,
) -> None:
    """Start what does not run yet and wait until all of it is healthy; run it again after an error."""
    console = Console(stderr=True)
    progress = TerminalProgress(console)
    stack = _stack(home, free_ports=free_ports, keep=True, engine_factory=engine_factory)
    parts = stack.chosen(names or [])
    for part in parts:
        part.install(progress)
    for part in parts:
        with progress.task(f"Starting {part.name}"):
            Running(part).up()
    for part in parts:
        if detail := getattr(part, "url", "") or part.did:
            console.print(f"  {part.name:<10} {detail}", highlight=False)
    if watched:
        _watch(parts, from_environment(os.environ, home=home))


@app.command()
def down(names: Names = None, home: Home = None) -> None:
    """Stop everything, the last started first. Data stay."""
    console = Console(stderr=True)
    for part in reversed(_stack(home).chosen(names or [])):
        if Running(part).down():
            console.print(f"[green]✓[/] stopped {part.name}", highlight=False)


@app.command()
def status(names: Names = None, home: Home = None) -> None:
    """Show for each process if it runs and is healthy; exit code 1 if one is not."""
    table = Table("part", "process", "pid", "port", "state", box=None, header_style="bold")
    well = True
    for part in _stack(home).chosen(names or []):
        running = Running(part)
        for process in part.processes():
            pid = running.daemon(process.name).pid
            problem = "does not run" if pid is None else process.problem()
            well = well and problem is None
            where = ", ".join(map(str, process.ports))
            table.add_row(part.name, process.name, str(pid or ""), where, "healthy" if problem is None else problem)
    Console().print(table)
    if not well:
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="Whose log.")],
    home: Home = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the end of a process' log."""
    found = {process: log for part in _stack(home).parts for process, log in Running(part).logs().items()}
    if name not in found:
        raise InvalidInputError(f"the stack has no process {name!r}", hint=f"it has {', '.join(found)}")
    log = found[name]
    if not log.is_file():
        raise InvalidInputError(f"{name} was never started here: there is no {log}", hint="gars stack up")
    with log.open(errors="replace") as file:
        detail = file.readlines()
        typer.echo("".join(detail[max(0, len(detail) - lines) :]), nl=False)
        while follow:
            more = file.read()
            typer.echo(more, nl=False) if more else time.sleep(0.2)


@app.command()
def env(home: Home = None) -> None:
    """Print the settings with which other commands use this stack: eval "$(gars stack env)" && gars doctor."""
    for name, value in _stack(home).environment.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _watch(parts: Sequence[Engine], settings: Settings) -> None:
    """Watch the engines until SIGINT or SIGTERM, then stop them all."""
    set_up_logs(settings, "stack")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    announce("watching; Ctrl-C stops everything")
    watch([Running(part) for part in parts], stop)
    for part in reversed(parts):
        if Running(part).down():
            announce(f"stopped {part.name}")


def _stack(
    home: Path | None, *, free_ports: bool = False, keep: bool = False, engine_factory: str | None = None
) -> Stack:
    settings = from_environment(os.environ, home=home)
    ports = plan.ports_of(settings, free=free_ports)
    options = ("--engine-factory", engine_factory) if engine_factory else ()
    stack = plan.stack_of(settings, ports, options=options)
    if keep:
        plan.keep_ports(settings, ports)
    return stack
