"""``gars train``: fit both stages on a data set and store the model for the service."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gars.application.training_log import TrainingLog
from gars.datasets.dataset import Dataset
from gars.datasets.snapshots import open_snapshot
from gars.domain.errors import InvalidInputError
from gars.entrypoints.cli import runs
from gars.entrypoints.cli.datasets_here import open_named_or_newest
from gars.entrypoints.cli.from_log import logged_training_data
from gars.library import atlas_store, configuration, run_summary
from gars.library.artefact import Manifest
from gars.library.fit_config import QUICK, FitConfig
from gars.library.fitting import FitHooks
from gars.library.offline import OfflineGraph, read_graph
from gars.library.recommender import fit_with
from gars.library.registry import Registry
from gars.library.terminal import TerminalProgress
from gars.pipeline.lineage import lineage
from gars.pipeline.logged_training_data import LoggedTrainingData
from gars.runtime.progress import Progress


def train(
    data: Annotated[
        str | None, typer.Option(metavar="NAME", help="Data set in HOME/data.  [default: the only or newest one]")
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option(metavar="HASH", help="Train on this snapshot: its hash, or enough of its beginning.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same data and seed give the same model on the same machine.")] = 0,
    promote: Annotated[bool, typer.Option(help="Serve the new model from the next start of the service.")] = True,
    quick: Annotated[bool, typer.Option("--quick", help="A third of the time, slightly worse lists.")] = False,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings that differ from the defaults, TOML or JSON.")
    ] = None,
    from_log: Annotated[
        bool,
        typer.Option("--from-log", help="The ranker also learns from the lists the service showed, and the clicks."),
    ] = False,
    offline: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Take the item graph from here, where gars offline spark made it."),
    ] = None,
    log: Annotated[bool, typer.Option(help="Log curves, weights and embeddings for gars tensorboard.")] = True,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of data and models.")] = Path("var"),
) -> None:
    """Train retrieval and ranking on a data set; writes HOME/models/VERSION, whole or not at all.

    Make a data set first: gars data build, or gars data import FILES.
    """
    console = Console(stderr=True)
    started = time.perf_counter()
    registry = Registry(home / "models")
    if quick and config:
        raise InvalidInputError("--quick and --config both say how to train", hint="give one of them")
    settings = configuration.read(config) if config else QUICK if quick else FitConfig()
    if data is not None and snapshot is not None:
        raise InvalidInputError("--data and --snapshot both say what to train on", hint="give one of them")
    dataset = open_snapshot(home, snapshot) if snapshot is not None else open_named_or_newest(home, data)
    progress = TerminalProgress(console)
    with ExitStack() as opened:
        run = runs.open_log(runs.folder_of(home) / f"train-{time.strftime('%Y%m%d-%H%M%S')}", progress) if log else None
        if run is not None:
            opened.enter_context(run)
        shown = opened.enter_context(logged_training_data(home, dataset)) if from_log else None
        graph = read_graph(offline, content_hash=dataset.content_hash) if offline is not None else None
        manifest = train_on(
            dataset, registry, config=settings, seed=seed, progress=progress, log=run, shown=shown, graph=graph
        )
    if promote:
        registry.promote(manifest.version)
    console.print(
        f"[green]✓[/] model {manifest.version} in {time.perf_counter() - started:.0f} s; "
        + ("serve it with: gars serve" if promote else f"promote it with: gars model promote {manifest.version}"),
        highlight=False,
    )


def train_on(
    dataset: Dataset,
    registry: Registry,
    *,
    config: FitConfig,
    seed: int,
    progress: Progress,
    log: TrainingLog | None = None,
    shown: LoggedTrainingData | None = None,
    graph: OfflineGraph | None = None,
) -> Manifest:
    """Fit on a data set, and on the lists people were shown and an item graph if these are given; add the model."""
    recommender = fit_with(
        FitHooks(log=log, blend=shown, graph=graph),
        dataset.parts(),
        dataset.catalogue(),
        users=dataset.users(),
        config=config,
        seed=seed,
        progress=progress,
    )
    about = lineage(dataset, config)
    if shown is not None:
        progress.note(shown.summary())
        about["from_log"] = {"lists": shown.used, "places": shown.places, "blended": shown.blended}
    if graph is not None:
        about["offline"] = graph.lineage()
    manifest = registry.add(lambda folder: recommender.save(folder, data=about))
    atlas_store.add(registry.folder.parent, manifest.version, recommender.engine, progress)
    if log is not None:
        run_summary.write(log, recommender, manifest)
    return manifest
