"""``gars demo``: data, model, service and page in one command; finished steps are not repeated."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.datasets.build import DEFAULT, standing
from gars.datasets.dataset import Dataset
from gars.domain.errors import ArtefactError
from gars.entrypoints.cli.data import LicensedOnly
from gars.library.artefact import read_manifest
from gars.library.registry import CURRENT, Registry


def demo(
    port: Annotated[int | None, typer.Option(help="Port to serve on.  [default: GARS_PORT or 8000]")] = None,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder for data and models.")] = Path("var"),
    mirror: Annotated[
        Path | None, typer.Option(envvar="GARS_MIRROR", help="Folder that holds copies of the data sources.")
    ] = None,
    licensed_only: LicensedOnly = False,
    serve: Annotated[bool, typer.Option(help="Serve when the model is there.")] = True,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser when it is served.")] = False,
) -> None:
    """Get real data, train both stages, serve the page. Takes a few minutes the first time, seconds after that.

    The ratings of 5,000 real users are part of GARS; sources that cannot be had are left out with one line each.
    Data and model are made in processes of their own, so that the service starts with the memory it needs and no more.
    """
    console = Console(stderr=True)
    dataset = standing(home, licensed_only=licensed_only)
    if dataset is not None:
        console.print(f"[green]✓[/] data {DEFAULT}: made before", highlight=False)
    else:
        options = [*(["--mirror", str(mirror)] if mirror else []), *(["--licensed-only"] if licensed_only else [])]
        _run("data", "build", "--home", str(home), *options)
        dataset = Dataset.open(home / "data" / DEFAULT)
    registry = Registry(home / "models")
    if _trained_on(registry) == dataset.content_hash:
        console.print(f"[green]✓[/] model {registry.current()}: made before", highlight=False)
    else:
        _run("train", "--data", DEFAULT, "--quick", "--no-log", "--home", str(home))
    if serve:
        from gars.entrypoints.cli.serve import serve as serve_until_stopped

        serve_until_stopped(port=port, home=home, open_page=open_page)


def _run(*command: str) -> None:
    """Run a command of GARS and wait; end with its exit code when it fails, and end it when this process is ended."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        done = subprocess.run([sys.executable, "-m", "gars.entrypoints.cli", *command], check=False)
    finally:
        signal.signal(signal.SIGTERM, before)
    if done.returncode:
        raise typer.Exit(done.returncode if done.returncode > 0 else 128 - done.returncode)


def _trained_on(registry: Registry) -> str | None:
    """The content hash of the data that the serving model was trained on; ``None`` if there is no such model."""
    try:
        return read_manifest(registry.folder / CURRENT).data.get("content_hash")
    except ArtefactError:
        return None
