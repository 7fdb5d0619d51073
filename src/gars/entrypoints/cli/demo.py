"""``gars demo``: data, model, service, page, in one go; what is done already is not done again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.datasets.build import build_default
from gars.domain.errors import ArtefactError
from gars.entrypoints.cli.train import train_on
from gars.library.artefact import read_manifest
from gars.library.fitting import QUICK
from gars.library.registry import CURRENT, Registry
from gars.library.terminal import TerminalProgress


def demo(
    port: Annotated[int | None, typer.Option(help="Port to serve on.  [default: GARS_PORT or 8000]")] = None,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder for data and models.")] = Path("var"),
    mirror: Annotated[
        Path | None, typer.Option(envvar="GARS_MIRROR", help="Folder that holds copies of the data sources.")
    ] = None,
    serve: Annotated[bool, typer.Option(help="Serve when the model is there.")] = True,
) -> None:
    """Get real data, train both stages, serve the page. Takes a minute or two the first time, seconds after that.

    The ratings of 5,000 real users are part of GARS; sources that cannot be had are left out with one line each.
    """
    progress = TerminalProgress(Console(stderr=True))
    dataset = build_default(home, mirror=mirror, progress=progress)
    registry = Registry(home / "models")
    if _trained_on(registry) != dataset.content_hash:
        registry.promote(train_on(dataset, registry, config=QUICK, seed=0, progress=progress).version)
    if serve:
        from gars.entrypoints.cli.serve import serve as serve_until_stopped

        serve_until_stopped(port=port, home=home)


def _trained_on(registry: Registry) -> str | None:
    """The content hash of the data that the serving model was trained on; ``None`` if there is no such model."""
    try:
        return read_manifest(registry.folder / CURRENT).data.get("content_hash")
    except ArtefactError:
        return None
