"""``gars offline``: training on Apache Spark, for data sets too large for one machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gars.config import Settings, from_environment
from gars.datasets.dataset import Dataset
from gars.domain.errors import InvalidInputError, MissingExtraError
from gars.entrypoints.cli.datasets_here import open_named_or_newest
from gars.library.terminal import TerminalProgress

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    _Read = Callable[[SparkSession, int], DataFrame]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Jobs for data that outgrow one machine.")


@app.callback()
def _offline() -> None:
    """A group also while it has one command."""


@app.command()
def spark(
    data: Annotated[
        str | None, typer.Option(help="Data set in HOME/data, or its folder.  [default: the only or newest one]")
    ] = None,
    interactions: Annotated[
        str | None,
        typer.Option(help="Take what people did from here instead: cassandra://HOST:PORT/KEYSPACE, as GARS_HISTORY."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.  [default: offline in GARS_HOME]")] = None,
    master: Annotated[str, typer.Option(help="Where Spark runs: local[N], spark://…, yarn, k8s://…")] = "local[2]",
    pieces: Annotated[int, typer.Option(min=1, help="Pieces the work is cut into; several for each core.")] = 8,
    memory: Annotated[str, typer.Option(help="Of Spark's driver.")] = "2g",
    home: Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")] = None,
) -> None:
    """Make the item graph and feature tables of a data set, or of the events in Cassandra."""
    settings = from_environment(os.environ, home=home)
    if data is not None and interactions is not None:
        raise InvalidInputError("--data and --interactions both say what to read", hint="give one of them")
    try:
        from gars.library.offline import Plan
        from gars.spark import run as offline
        from gars.spark.session import session
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gars"):
            raise
        raise MissingExtraError("gars offline spark", "spark") from error
    of, read = _events(interactions) if interactions is not None else _data_set(settings, data)
    target = settings.home / "offline" if out is None else out
    console = Console(stderr=True)
    with session(master, memory=memory) as running:
        made = offline.run(read(running, pieces), target, Plan(pieces=pieces), TerminalProgress(console), data=of)
    console.print(
        f"[green]✓[/] {made.rows:,} rows of {made.users:,} users: {made.edges:,} edges between {made.items:,} titles, "
        f"in {target}",
        highlight=False,
    )
    for name, seconds in made.seconds.items():
        console.print(f"  {name:<18} {seconds:>8.1f} s", highlight=False)


def _data_set(settings: Settings, name: str | None) -> tuple[str, _Read]:
    """The lists of a data set, and its hash."""
    from gars.spark import user_lists

    if name is not None and Path(name).is_dir():
        dataset = Dataset.open(Path(name))
    else:
        dataset = open_named_or_newest(settings.home, name)
    return dataset.content_hash, lambda running, pieces: user_lists.read(running, dataset.parts(), pieces=pieces)


def _events(address: str) -> tuple[str, _Read]:
    """The lists that the events in Cassandra add up to, which have no hash."""
    from gars.adapters.cassandra.address import parse

    try:
        from gars.spark import live_lists
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gars"):
            raise
        raise MissingExtraError("gars offline spark --interactions", "cassandra") from error
    where = parse("--interactions", address)
    return "", lambda running, pieces: live_lists.read(running, where, pieces=pieces)
