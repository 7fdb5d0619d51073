"""``gars stack``: the cluster profile's engines and services on this machine, as processes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gars.config import Settings, from_environment
from gars.domain.errors import InvalidInputError
from gars.entrypoints.stack import plan
from gars.entrypoints.stack.running import Running
from gars.library.terminal import TerminalProgress

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Start, look at and stop the engines and services of the cluster profile on this machine.",
)
Home = Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")]
Names = Annotated[list[str] | None, typer.Argument(help="Only these parts.  [default: all]")]


@app.command()
def install(names: Names = None, home: Home = None) -> None:
    """Get what the engines need, into GARS_ENGINES; what is there stays."""
    progress = TerminalProgress(Console(stderr=True))
    for running in _stack(home, names)[1]:
        running.engine.install(progress)


@app.command()
def up(
    names: Names = None,
    home: Home = None,
    free_ports: Annotated[bool, typer.Option(help="Take free ports in place of the usual ones.")] = False,
) -> None:
    """Start what does not run yet and wait until all of it is healthy; run it again after an error."""
    progress = TerminalProgress(Console(stderr=True))
    for running in _stack(home, names, free_ports=free_ports, keep=True)[1]:
        running.engine.install(progress)
        with progress.task(f"Starting {running.engine.name}"):
            running.up()


@app.command()
def down(names: Names = None, home: Home = None) -> None:
    """Stop everything, the last started first. Data stay."""
    console = Console(stderr=True)
    for running in reversed(_stack(home, names)[1]):
        if running.down():
            console.print(f"[green]✓[/] stopped {running.engine.name}", highlight=False)


@app.command()
def status(names: Names = None, home: Home = None) -> None:
    """Say of each process whether it runs and is healthy; exit code 1 if one is not."""
    table = Table("part", "process", "pid", "port", "state", box=None, header_style="bold")
    well = True
    for running in _stack(home, names)[1]:
        for process in running.engine.processes():
            pid = running.daemon(process.name).pid
            problem = "does not run" if pid is None else process.problem()
            well = well and problem is None
            table.add_row(
                running.engine.name,
                process.name,
                str(pid or ""),
                ", ".join(map(str, process.ports)),
                "healthy" if problem is None else problem,
            )
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
    found = {process: log for running in _stack(home, None)[1] for process, log in running.logs().items()}
    if name not in found:
        raise InvalidInputError(f"the stack has no process {name!r}", hint=f"it has {', '.join(found)}")
    log = found[name]
    if not log.is_file():
        raise InvalidInputError(f"{name} was never started here: there is no {log}", hint="gars stack up")
    with log.open(errors="replace") as file:
        said = file.readlines()
        typer.echo("".join(said[max(0, len(said) - lines) :]), nl=False)
        while follow:
            more = file.read()
            typer.echo(more, nl=False) if more else time.sleep(0.2)


def _stack(
    home: Path | None, names: list[str] | None, *, free_ports: bool = False, keep: bool = False
) -> tuple[Settings, list[Running]]:
    settings = from_environment(os.environ, home=home)
    ports = plan.ports_of(settings, free=free_ports)
    parts = [Running(engine) for engine in plan.chosen(plan.engines_of(settings, ports), names or [])]
    if keep:
        plan.keep_ports(settings, ports)
    return settings, parts
