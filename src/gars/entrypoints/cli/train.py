"""``gars train``: fit both stages on a data set and put the model where the service finds it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.application.progress import Progress
from gars.datasets.dataset import MANIFEST, Dataset
from gars.domain.errors import DataError
from gars.library.artefact import Manifest
from gars.library.fitting import QUICK, FitConfig
from gars.library.recommender import Recommender
from gars.library.registry import Registry
from gars.library.terminal import TerminalProgress


def train(
    data: Annotated[
        str | None, typer.Option(metavar="NAME", help="Data set in HOME/data.  [default: the only or newest one]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data and seed give the same model on the same machine.")] = 0,
    promote: Annotated[bool, typer.Option(help="Serve the new model from the next start of the service.")] = True,
    quick: Annotated[bool, typer.Option("--quick", help="A third of the time, slightly worse lists.")] = False,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of data and models.")] = Path("var"),
) -> None:
    """Train retrieval and ranking on a data set; writes HOME/models/VERSION, whole or not at all.

    Make a data set first: gars data build, or gars data import FILES.
    """
    console = Console(stderr=True)
    started = time.perf_counter()
    registry = Registry(home / "models")
    config = QUICK if quick else FitConfig()
    manifest = train_on(
        open_dataset(home, data), registry, config=config, seed=seed, progress=TerminalProgress(console)
    )
    if promote:
        registry.promote(manifest.version)
    console.print(
        f"[green]✓[/] model {manifest.version} in {time.perf_counter() - started:.0f} s; "
        + ("serve it with: gars serve" if promote else f"promote it with: gars model promote {manifest.version}"),
        highlight=False,
    )


def train_on(dataset: Dataset, registry: Registry, *, config: FitConfig, seed: int, progress: Progress) -> Manifest:
    """Fit on a data set and add the model to the registry."""
    recommender = Recommender.fit(
        dataset.interactions(), dataset.catalogue(), config=config, seed=seed, progress=progress
    )
    about = {"name": dataset.name, "content_hash": dataset.content_hash, "simulated": dataset.simulated}
    return registry.add(lambda folder: recommender.save(folder, data=about))


def open_dataset(home: Path, name: str | None) -> Dataset:
    """The named data set, or the one built last.

    Raises:
        DataError: there is none, or it is half-written.
    """
    if name is not None:
        return Dataset.open(home / "data" / name)
    built = sorted(home.glob(f"data/*/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise DataError(f"there is no data set in {home / 'data'}", hint="make one with: gars data build")
    return Dataset.open(built[-1].parent)
