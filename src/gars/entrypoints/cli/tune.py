"""``gars tune``: search for better settings on validation rows."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from gars.application.trials import Outcome
from gars.datasets.build import build_sample
from gars.datasets.ownership import refuse_foreign_folder
from gars.datasets.splits import fixed_like_split, fixed_topn_split
from gars.domain.errors import InvalidInputError
from gars.entrypoints.cli import runs
from gars.evaluation.protocols import as_topn_protocol
from gars.library import configuration
from gars.library.fit_config import FitConfig
from gars.library.terminal import TerminalProgress
from gars.runtime.progress import Progress, Silent
from gars.tuning import search_space
from gars.tuning.search import finalists, search
from gars.tuning.trial_journal import TrialJournal
from gars.tuning.validation import Evaluator, Likes, Lists, Validation, is_slow


class TunedProtocol(StrEnum):
    """Protocols that settings are evaluated on: A and B of lists, the others of likes."""

    A = "A"
    B = "B"
    RANDOM = "random"
    PER_USER = "per-user"
    COLD_USERS = "cold-users"


DEFAULT = (TunedProtocol.A, TunedProtocol.B, TunedProtocol.RANDOM)


def tune(
    space: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What may change, TOML or JSON.  [default: the ranking model]")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings to start from.  [default: those of gars train]")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Sets of settings to try, the unchanged ones counted.")] = 20,
    minutes: Annotated[float | None, typer.Option(min=0, help="Start no trial after this time.")] = None,
    protocol: Annotated[
        list[TunedProtocol] | None, typer.Option(help="Evaluate on these.  [default: A, B (lists) and random (likes)]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draws, of training and of the intervals.")] = 0,
    name: Annotated[str, typer.Option(help="Name of the search; its folder is HOME/runs/NAME.")] = "tune",
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what a search of that name has found.")] = False,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder for data and runs.")] = Path("var"),
    mirror: Annotated[
        Path | None, typer.Option(envvar="GARS_MIRROR", help="Folder that holds copies of the data sources.")
    ] = None,
) -> None:
    """Try settings on the validation rows of the fixed splits and keep the best; test rows are never looked at.

    Each set is tried on a third of the users first, and the best third of them on all. Run again to go on after Ctrl-C.
    The best are written to HOME/runs/NAME/best.json, for gars train --config.
    """
    console = Console(stderr=True)
    progress = TerminalProgress(console)
    base = configuration.read(config) if config else FitConfig()
    drawn = search_space.read(space or search_space.DEFAULT)
    protocols = tuple(protocol or DEFAULT)
    dataset = build_sample(home, mirror=mirror, progress=progress)
    folder = runs.folder_of(home) / _folder_name(name)
    if fresh:
        refuse_foreign_folder(folder, _written_names)
        shutil.rmtree(folder, ignore_errors=True)
    about = {
        "space": msgspec.to_builtins(drawn),
        "configuration": msgspec.to_builtins(base),
        "seed": seed,
        "protocols": [str(one) for one in protocols],
        "data": dataset.content_hash,
    }
    journal = TrialJournal(folder / "trials.jsonl", about)
    if before := len(journal.outcomes()):
        console.print(f"{before} trials of {folder} are done already", highlight=False)
    evaluators = _evaluators(protocols, dataset.interactions().collect(), home, mirror, progress)
    objective = Validation(evaluators, dataset.catalogue(), base, seed, Silent())
    sessions = runs.open_sessions(folder, progress)
    try:
        outcomes = search(
            drawn,
            objective,
            journal,
            slow=is_slow,
            n_trials=trials,
            seed=seed,
            seconds=time.monotonic,
            deadline=math.inf if minutes is None else time.monotonic() + 60 * minutes,
            start_session=sessions.start if sessions else None,
            progress=progress,
            on_outcome=lambda outcome: progress.note(_line(outcome)),
        )
    except KeyboardInterrupt:
        console.print(f"stopped; {len(journal.outcomes())} trials are kept, the same command goes on", highlight=False)
        raise typer.Exit(130) from None
    best = finalists(outcomes)
    target = folder / "best.json"
    configuration.write(target, configuration.changed(base, best[0].settings))
    _print_table(best)
    console.print(
        f"[green]✓[/] the best settings are in {target}: gars train --config {target}", highlight=False, soft_wrap=True
    )


def _written_names(folder: Path) -> set[str]:
    """Names of the files of an earlier search in ``folder``; empty if its journal is missing."""
    if not (folder / "trials.jsonl").is_file():
        return set()
    logs = (path.relative_to(folder).as_posix() for path in folder.rglob("events.out.tfevents.*.gars"))
    return {"trials.jsonl", "best.json", *logs}


def _folder_name(name: str) -> str:
    if not name or name.startswith(".") or "/" in name:
        raise InvalidInputError(f"--name {name!r} is no name of a folder", hint="letters, digits, - and _")
    return name


def _evaluators(
    protocols: Sequence[TunedProtocol], rows: pl.DataFrame, home: Path, mirror: Path | None, progress: Progress
) -> list[Evaluator]:
    evaluators: list[Evaluator] = []
    for one in protocols:
        if one in (TunedProtocol.A, TunedProtocol.B):
            split = fixed_topn_split(home, mirror=mirror, progress=progress)
            evaluators.append(Lists(rows, split, as_topn_protocol(one.value)))
        else:
            evaluators.append(
                Likes(rows, fixed_like_split(one.value, home, mirror=mirror, progress=progress), one.value)
            )
    return evaluators


def _line(outcome: Outcome) -> str:
    if outcome.score is None:
        return f"  trial {outcome.trial.number} failed: {outcome.error}"
    changes = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in outcome.settings.items())
    return f"  score {outcome.score:.4f} with {changes or 'nothing changed'}"


def _print_table(best: Sequence[Outcome]) -> None:
    """The trials on all users, the best first; trial 0 is the settings it began with."""
    counted = [name for name in best[0].metrics if name.startswith(("ndcg@100", "auc", "accuracy", "ece"))]
    table = Table("trial", "score", *counted, "seconds", box=None, header_style="bold")
    for outcome in best[:10]:
        shown = [outcome.metrics[name] for name in counted]
        cells = [str(one) if one.low < one.high else f"{one.mean:.4f}" for one in shown]
        table.add_row(str(outcome.trial.number), f"{outcome.score:.4f}", *cells, f"{outcome.seconds:.0f}")
    Console(soft_wrap=True).print(table)
