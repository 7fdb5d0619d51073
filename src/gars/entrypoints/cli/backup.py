"""``gars backup`` and ``gars restore``: a running home to a folder, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.bootstrap import backup as backing_up
from gars.bootstrap import restore as restoring
from gars.config import from_environment
from gars.domain.errors import InvalidInputError

Home = Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")]
_MB = 1 << 20


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the copy.")],
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Copy data sets and snapshots too, which can be built again.")
    ] = False,
    home: Home = None,
) -> None:
    """Copy stores, models and crawled lists to a folder. Safe while gars serve runs."""
    settings = from_environment(os.environ, home=home)
    console = Console(stderr=True)
    manifest = restoring.verify(backing_up.back_up(settings, folder, with_data=with_data).parent)
    size = sum(file.bytes for file in manifest.files)
    console.print(
        f"[green]✓[/] {len(manifest.files)} file(s), {size / _MB:,.1f} MB in {folder}, read back and compared",
        highlight=False,
    )
    console.print(f"  put it back with: gars restore {folder}", highlight=False)


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder made by gars backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Set aside what is in the home, in a folder before-restore-TIME of it.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only compare every file with the manifest.")] = False,
    home: Home = None,
) -> None:
    """Put a backup in the place of an empty home, or with --replace of a full one. The service must not run."""
    console = Console(stderr=True)
    if check:
        if replace:
            raise InvalidInputError("--check changes nothing, --replace does", hint="give one of them")
        found = restoring.verify(folder)
        console.print(f"[green]✓[/] {folder}: {len(found.files)} file(s) as backed up {found.created}", highlight=False)
        return
    settings = from_environment(os.environ, home=home)
    done = restoring.restore(settings, folder, replace=replace)
    if done.resumed:
        console.print(
            f"[green]✓[/] {settings.home}: a restore that had been interrupted is finished; {folder} was not read",
            highlight=False,
        )
    else:
        console.print(f"[green]✓[/] {settings.home} is as {folder}", highlight=False)
    if done.set_aside is not None:
        console.print(f"  what was there is in {done.set_aside}; delete it when you are sure", highlight=False)
    if done.kept_tombstones:
        console.print("  users deleted since the backup stay deleted: the newer tombstones were kept", highlight=False)
