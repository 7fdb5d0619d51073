"""``gars doctor``: is everything there that the settings name?"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gars.bootstrap.doctor import examine
from gars.config import from_environment


def doctor(
    home: Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")] = None,
) -> None:
    """Check every store and service named in the settings, with a hint for each fault. Exit code 1 if one fails."""
    settings = from_environment(os.environ, home=home)
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    console = Console()
    well = True
    for one in examine(settings):
        well = well and one.problem is None
        mark = "[green]✓[/]" if one.problem is None else "[red]✗[/]"
        console.print(f"{mark} {one.name:<12} {escape(one.where)}", highlight=False, soft_wrap=True)
        if one.problem is not None:
            console.print(f"  {escape(one.problem)}", highlight=False, soft_wrap=True)
        if one.hint is not None:
            console.print(f"  [dim]→[/] {escape(one.hint)}", highlight=False, soft_wrap=True)
    if not well:
        raise typer.Exit(1)
