"""``gars replay`` and ``gars backfill``: states out of events, and out of a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.application.events import replay as replaying
from gars.application.events.backfill import backfill as fold_in
from gars.bootstrap.cluster import forgotten_users, logged, rebuildable_states, rebuildable_trends, rebuilt_users
from gars.bootstrap.model import load_engine, training_data
from gars.bootstrap.stores import open_state_store, open_tombstones
from gars.config import Settings, from_environment
from gars.datasets.dataset import Dataset
from gars.datasets.histories import histories
from gars.datasets.recorded_log import write_log
from gars.domain.errors import InvalidInputError, StorageError
from gars.library.terminal import TerminalProgress

Home = Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Data set that users started with.  [default: that of the model served]")
]
_SHOWN = 10


def replay(
    source: Annotated[str, typer.Option("--from", help="kafka, cassandra, or the path of a recorded log.")],
    target: Annotated[str, typer.Option("--to", help="redis, or the path to record a log to.")] = "redis",
    check: Annotated[bool, typer.Option("--check", help="Compare with what redis holds, and write nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also if the source has let go of its oldest events: states without them.")
    ] = False,
    data: Data = None,
    home: Home = None,
) -> None:
    """Rebuild all states from the events. Safe while a service runs: newer states are not overwritten."""
    settings = from_environment(os.environ, home=home)
    console = Console(stderr=True)
    if target != "redis":
        if source == "cassandra":
            raise InvalidInputError("a log is recorded from kafka or a file, not from cassandra", hint="--from kafka")
        with logged(settings, source) as records:
            count = write_log(Path(target), records)
        console.print(f"[green]✓[/] {count} record(s) in {target}", highlight=False)
        return
    dataset = _dataset(settings, data, console)
    with rebuildable_states(settings) as states, rebuilt_users(settings, source, dataset, partial=partial) as users:
        if check:
            _print_difference(replaying.compare(users, states.get), console)
            return
        with rebuildable_trends(settings) as trends:
            seen, kept = replaying.write(
                users, states.rebuild, set_trends=trends.write, progress=TerminalProgress(console)
            )
    console.print(
        f"[green]✓[/] {seen} user(s) have events; {kept} state(s) written, {seen - kept} newer there", highlight=False
    )


def backfill(
    data: Data = None,
    again: Annotated[bool, typer.Option("--again", help="Also if this data set was folded in before.")] = False,
    home: Home = None,
) -> None:
    """Import the histories of a data set's users, before or while the service runs.

    Users with live events and deleted users are skipped.
    """
    settings = from_environment(os.environ, home=home)
    console = Console(stderr=True)
    dataset = _dataset(settings, data, console)
    if dataset is None:
        raise InvalidInputError("there is no data set to fold in", hint="name one: gars backfill --data DIR")
    manifest = dataset.manifest
    states = open_state_store(settings)
    tombstones = open_tombstones(settings)
    try:
        forgotten = forgotten_users(tombstones)
        kept = fold_in(
            (one for one in histories(dataset) if not forgotten(one[0])),
            states,
            content_hash=manifest.content_hash,
            n_users=manifest.users,
            progress=TerminalProgress(console),
            again=again,
        )
    finally:
        states.close()
        tombstones.close()
    console.print(f"[green]✓[/] {kept} of {manifest.users} user(s) have their history", highlight=False)


def _dataset(settings: Settings, path: Path | None, console: Console) -> Dataset | None:
    """The data set named, or that of the model that is served, if there is one."""
    if path is not None:
        return Dataset.open(path)
    if not (settings.models / "current").exists():
        console.print("no model here, so no data set: users start with their events alone", highlight=False)
        return None
    _, about = load_engine(settings.models)
    return training_data(settings, about)


def _print_difference(found: replaying.Comparison, console: Console) -> None:
    console.print(
        f"{found.users} user(s): {found.equal} equal, {len(found.behind)} behind, {len(found.ahead)} ahead, "
        f"{len(found.different)} different",
        highlight=False,
    )
    if wrong := [*found.behind, *found.different]:
        raise StorageError(
            f"the states of {len(wrong)} user(s) are not what the events say, such as {', '.join(wrong[:_SHOWN])}",
            hint="is the feature job behind? if not, write them again: gars replay, without --check",
        )
