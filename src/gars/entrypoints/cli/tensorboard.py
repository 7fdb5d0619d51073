"""``gars tensorboard``: show the logs of trainings and searches."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.adapters.tensorboard import server
from gars.domain.errors import DataError
from gars.entrypoints.cli import runs


def tensorboard(
    name: Annotated[str | None, typer.Argument(help="One run in HOME/runs.  [default: all]")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes a free one.  [default: 6006, or the next free one]")] = None,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of data, models and runs.")] = Path("var"),
) -> None:
    """Open TensorBoard over HOME/runs, on this machine only, until Ctrl-C."""
    folder = runs.folder_of(home) / (name or "")
    if not folder.is_dir():
        raise DataError(f"there are no runs in {folder}", hint="make one with: gars train, or gars tune")
    address = server.start(folder, port=port)
    Console(soft_wrap=True).print(f"TensorBoard is at {address} until Ctrl-C", highlight=False)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
