"""``gars offline``: what outgrows one machine, on Apache Spark."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.config import from_environment
from gars.datasets.dataset import Dataset
from gars.domain.errors import MissingExtraError
from gars.library.terminal import TerminalProgress

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Jobs for data that outgrow one machine.")


@app.callback()
def _offline() -> None:
    """A group also while it has one command."""


@app.command()
def spark(
    data: Annotated[str, typer.Option(help="Name of a data set in GARS_HOME, or its folder.")] = "sample",
    out: Annotated[Path | None, typer.Option(help="Folder to write.  [default: offline in GARS_HOME]")] = None,
    master: Annotated[str, typer.Option(help="Where Spark runs: local[N], spark://…, yarn, k8s://…")] = "local[2]",
    pieces: Annotated[int, typer.Option(min=1, help="Pieces the work is cut into; several for each core.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of walks, vectors and factors.")] = 0,
    factors: Annotated[int, typer.Option(min=0, help="Size of the iALS factors; 0 leaves them out.")] = 64,
    memory: Annotated[str, typer.Option(help="Of Spark's driver.")] = "2g",
    home: Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")] = None,
) -> None:
    """Make item graph, walks, vectors, factors and feature tables of a data set."""
    settings = from_environment(os.environ, home=home)
    try:
        from gars.entrypoints.offline import run as offline
        from gars.entrypoints.offline.session import session
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gars"):
            raise
        raise MissingExtraError("gars offline spark", "spark") from error
    dataset = Dataset.open(Path(data) if Path(data).is_dir() else settings.datasets / data)
    target = settings.home / "offline" if out is None else out
    console = Console(stderr=True)
    with session(master, memory=memory) as running:
        made = offline.run(
            running,
            dataset.parts(),
            target,
            offline.Plan(seed=seed, pieces=pieces, factors=factors),
            TerminalProgress(console),
        )
    console.print(
        f"[green]✓[/] {made.rows:,} rows of {made.users:,} users: {made.edges:,} edges between {made.items:,} titles, "
        f"in {target}",
        highlight=False,
    )
    for name, seconds in made.seconds.items():
        console.print(f"  {name:<18} {seconds:>8.1f} s", highlight=False)
