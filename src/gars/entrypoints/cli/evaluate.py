"""``gars evaluate``: both tasks on the fixed splits, against their baselines, with intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gars.datasets.build import build_sample
from gars.domain.errors import InvalidInputError
from gars.evaluation.benchmark import Benchmark
from gars.evaluation.report import tables
from gars.evaluation.report.machine import commit, machine
from gars.evaluation.report.markdown import table as as_markdown
from gars.evaluation.report.plots import require_matplotlib
from gars.evaluation.report.results import About, LikesResult, ListsResult, Results
from gars.evaluation.report.writing import refuse_foreign, write
from gars.library import configuration
from gars.library.fit_config import QUICK, FitConfig
from gars.library.terminal import TerminalProgress


class Task(StrEnum):
    """The evaluation tasks."""

    ALL = "all"
    LISTS = "lists"
    LIKES = "likes"


class Protocol(StrEnum):
    """The evaluation protocols: A, B and M hold out list entries, the next three likes, that of MovieLens 100k both."""

    A = "A"
    B = "B"
    M = "M"
    RANDOM = "random"
    PER_USER = "per-user"
    COLD_USERS = "cold-users"
    MOVIELENS = "movielens"


class Part(StrEnum):
    """The users whose held-out rows are evaluated."""

    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    task: Annotated[Task, typer.Option(help="Ranked lists, like predictions, or both.")] = Task.ALL,
    protocol: Annotated[
        list[Protocol] | None,
        typer.Option(help="Only these: A, B, M (lists); random, per-user, cold-users (likes); movielens (both)."),
    ] = None,
    part: Annotated[Part, typer.Option(help="Tune on validation; report test once.")] = Part.VALIDATION,
    seed: Annotated[int, typer.Option(help="Seed of training and of the intervals.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Train as gars demo does.")] = False,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings of training, as of gars train --config.")
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Also fit models that are no part of GARS.")
    ] = True,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write report.json, report.md and report.html there.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder for data.")] = Path("var"),
    mirror: Annotated[
        Path | None, typer.Option(envvar="GARS_MIRROR", help="Folder that holds copies of the data sources.")
    ] = None,
) -> None:
    """Train on the fixed splits of the ratings sample and evaluate on held-out rows. Takes a few minutes a protocol.

    Lists are ranked over all items, never against sampled negatives. Catalogue score and members stay out of training:
    they were counted from all ratings, the held-out ones too. What cannot be measured here is named, with the reason.
    """
    if quick and config:
        raise InvalidInputError("--quick and --config both say how to train", hint="give one of them")
    settings = configuration.read(config) if config else QUICK if quick else FitConfig()
    if report is not None:
        refuse_foreign(report)
        require_matplotlib()  # now, not after the training
    progress = TerminalProgress(Console(stderr=True))
    dataset = build_sample(home, mirror=mirror, progress=progress)
    bench = Benchmark(
        dataset.interactions().collect(),
        dataset.catalogue(),
        part=part.value,
        seed=seed,
        config=settings,
        baselines=baselines,
        home=home,
        mirror=mirror,
        progress=progress,
    )
    asked = [f"--protocol {one}" for one in protocol or ()] + ["--quick"] * quick + ["--no-baselines"] * (not baselines)
    asked += [f"--config {config}"] * (config is not None)
    about = _about(part.value, seed, quick, asked)
    show = _print_markdown if markdown else _print_table
    found: list[ListsResult | LikesResult] = []
    for one in protocol or list(Protocol):
        for result in bench.run(one.value, lists=task is not Task.LIKES, likes=task is not Task.LISTS):
            found.append(result)
            show(tables.summary(result, about))
            show(tables.against_the_best(result.comparisons))
            if report is not None:  # after each, so that a run that is cut off leaves what it found
                write(_results(about, bench, found), report)
    results = _results(about, bench, found)
    if results.skipped:
        show(tables.skipped(results))
    if report is not None:
        write(results, report)
        progress.note(f"report: {report / 'report.html'}")


def _about(part: str, seed: int, quick: bool, asked: list[str]) -> About:
    return About(
        command=" ".join(["gars evaluate", f"--part {part}", f"--seed {seed}", *asked]),
        part=part,
        seed=seed,
        quick=quick,
        commit=commit(),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(),
    )


def _results(about: About, bench: Benchmark, found: list[ListsResult | LikesResult]) -> Results:
    return Results(
        about=about,
        lists=[one for one in found if isinstance(one, ListsResult)],
        likes=[one for one in found if isinstance(one, LikesResult)],
        fits=bench.fits,
        tasks=bench.tasks,
        skipped=bench.skipped,
    )


def _print_table(one: tables.Table) -> None:
    console, table = Console(), Table(*one.header, box=None, header_style="bold")
    for row in one.rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(one.title, style="italic", markup=False, highlight=False)
    console.print(table, "")


def _print_markdown(one: tables.Table) -> None:
    Console(soft_wrap=True).print(as_markdown(one), highlight=False, markup=False)
