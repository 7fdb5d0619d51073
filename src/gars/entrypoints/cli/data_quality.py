"""``gars data validate | snapshot | snapshots | forget``: validate data sets, keep snapshots, delete users."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gars.datasets import snapshots as kept
from gars.datasets.acceptance import Validation, require_accepted
from gars.datasets.durable import write_whole
from gars.datasets.forgotten import forget as put_on_list
from gars.datasets.identities import name_hasher
from gars.datasets.ownership import GENERATOR, contains, decodes_as, refuse_foreign_file
from gars.datasets.thresholds import read_thresholds
from gars.datasets.validation_report import report_html
from gars.datasets.validations import keep
from gars.domain.errors import InvalidInputError
from gars.entrypoints.cli import data_tables as tables
from gars.entrypoints.cli.datasets_here import Home, open_dataset
from gars.spider.deletions import deleted_at_the_service

_HOME = Path("var")
ThresholdFile = Annotated[
    Path | None, typer.Option("--thresholds", help="TOML file of thresholds; else HOME/validation.toml if it is there.")
]


def validate(
    name: Annotated[str | None, typer.Argument(help="Data set; needed when there are several.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report with plots, one file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write all that was found, for programs.")] = None,
    thresholds: ThresholdFile = None,
    home: Home = _HOME,
) -> None:
    """Validate a data set: counts, ratings, gaps, orphans, duplicates, users who do not look like people.

    If a snapshot was accepted before, also report drift since: ratings, gaps, new and removed anime. Exits with an
    error when the data set breaks the normal form or a threshold. The result is kept in HOME/validations, where
    the operator's page reads it.
    """
    if html is not None:
        refuse_foreign_file(html, contains(GENERATOR))
    if json is not None:
        refuse_foreign_file(json, decodes_as(Validation))
    dataset = open_dataset(home, name)
    validation = kept.validation_of(home, dataset, read_thresholds(home, thresholds))
    keep(home, validation)
    if html is not None:
        write_whole(html, report_html(validation).encode(), is_ours=contains(GENERATOR))
    if json is not None:
        write_whole(json, msgspec.json.format(msgspec.json.encode(validation)) + b"\n", is_ours=decodes_as(Validation))
    _out().print(tables.report(dataset, validation.report))
    _out().print()
    _out().print(tables.checks(validation))
    require_accepted(validation)


def snapshot(
    name: Annotated[str | None, typer.Argument(help="Data set; needed when there are several.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Accept it although a threshold is broken; the snapshot says so.")
    ] = False,
    thresholds: ThresholdFile = None,
    home: Home = _HOME,
) -> None:
    """Validate a data set and keep it as it is, without the users who were deleted: it is then the accepted one.

    A snapshot is a data set in HOME/snapshots/HASH that is never changed; the same data are the same snapshot.
    """
    dataset = open_dataset(home, name)
    limits = read_thresholds(home, thresholds)
    with deleted_at_the_service(home) as is_deleted:
        taken = kept.take(home, dataset, limits, now=datetime.now(UTC), force=force, is_deleted=is_deleted)
    gone = f", {taken.deleted_users:,} deleted user(s) left out" if taken.deleted_users else ""
    _out().print(f"{taken.hash}: {taken.rows:,} rows, {taken.users:,} users{gone}", soft_wrap=True)


def snapshots(
    verify: Annotated[bool, typer.Option("--verify", help="Read every file and compare its hash.")] = False,
    remove: Annotated[str | None, typer.Option(help="Remove the snapshot with this hash, for good.")] = None,
    home: Home = _HOME,
) -> None:
    """List the snapshots, the oldest first; * is the accepted one."""
    if remove is not None:
        kept.remove(home, remove)
    table = Table("", "hash", "parent", "data set", "taken", "rows", "users", "deleted", box=None, pad_edge=False)
    accepted = kept.accepted(home)
    for one in kept.snapshots(home):
        if verify:
            kept.verify(home, one.hash)
        mark = ("*" if one.hash == accepted else "") + ("!" if one.forced else "")
        counts = (f"{count:,}" for count in (one.rows, one.users, one.deleted_users))
        parent = (one.parent or "")[:12]
        table.add_row(mark, one.hash[:12], parent, escape(one.dataset), f"{one.taken_at:%Y-%m-%d %H:%M}", *counts)
    _out().print(table if table.row_count else "no snapshot yet; take one with: gars data snapshot")


def forget(
    users: Annotated[list[int] | None, typer.Argument(metavar="[USER_ID]...", help="Ids as in the data sets.")] = None,
    names: Annotated[Path | None, typer.Option(help="File with a user name a line: hashed as an import does.")] = None,
    home: Home = _HOME,
) -> None:
    """Put users on the deletion list: no later snapshot holds them and no later crawl reads their list.

    Snapshots taken before still hold them: remove those with gars data snapshots --remove HASH. Names are not kept.
    """
    wanted = list(users or [])
    if names is not None:
        lines = [line.strip() for line in names.read_text().splitlines() if line.strip()]
        wanted += name_hasher(home)(pl.Series(lines, dtype=pl.String)).to_list()
    if not wanted:
        raise InvalidInputError("which users?", hint="gars data forget 42, or --names FILE")
    added = put_on_list(home, wanted)
    _out().print(f"{added:,} user(s) put on the deletion list, {len(set(wanted)) - added:,} were on it")
    held = [one.hash[:12] for one in kept.snapshots(home) if _holds(home, one.hash, wanted)]
    if held:
        _out().print(f"still in {', '.join(held)}: take a new snapshot, then remove these", soft_wrap=True)


def _holds(home: Path, name: str, users: list[int]) -> bool:
    rows = kept.open_snapshot(home, name).interactions().filter(pl.col("user_id").is_in(users))
    return rows.head(1).collect().height > 0


def _out() -> Console:
    return Console(highlight=False)
