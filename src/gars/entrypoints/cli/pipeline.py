"""``gars pipeline``: retraining that runs itself, from fresh data to the model that serves."""

from __future__ import annotations

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gars.adapters.embedded.lock import folder_lock
from gars.config import from_environment
from gars.datasets import snapshots
from gars.datasets.dataset import Dataset
from gars.datasets.thresholds import read_thresholds
from gars.domain.errors import GarsError, InvalidInputError
from gars.entrypoints.cli import pipeline_world as world
from gars.entrypoints.cli.data_quality import ThresholdFile
from gars.entrypoints.cli.datasets_here import open_named_or_newest
from gars.entrypoints.cli.from_log import logged_training_data
from gars.entrypoints.season import fetch_season
from gars.library import configuration
from gars.library.fit_config import QUICK, FitConfig
from gars.library.registry import Registry
from gars.library.terminal import TerminalProgress
from gars.pipeline import report as reports
from gars.pipeline.live_watch import FIRM, Look
from gars.pipeline.promotions import roll_back, rollbacks
from gars.pipeline.run import Outside, Pipeline
from gars.pipeline.runs import FOLDER, open_run, runs
from gars.spider.deletions import deleted_at_the_service
from gars.spider.refresh import age

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "Retraining that runs itself: crawl, merge, validate, snapshot, train, compare with the serving model, promote "
        "if nothing is worse, watch, roll back on a fall. What was killed goes on with the same command."
    ),
)
Home = Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of data and models.")]
_HOME = Path("var")
_SHOWN_RUNS = 10


class RolledBackError(GarsError):
    """A promoted model did worse with people than the one before."""

    code = "rolled_back"


@app.command()
def run(
    data: Annotated[
        str | None, typer.Option(metavar="NAME", help="Begin with this data set.  [default: the accepted snapshot]")
    ] = None,
    crawled: Annotated[
        list[Path] | None, typer.Option("--crawled", help="Pages the spider wrote before; may be repeated.")
    ] = None,
    spider: Annotated[
        str | None, typer.Option(help='Crawl first: what follows "gars spider run", such as "anime --older-than 30d".')
    ] = None,
    lists: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Crawl the public lists of the user names in this file.")
    ] = None,
    season: Annotated[
        bool, typer.Option("--season", help="Ask AniList for this season, the next, and the anime that are running.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Train as gars train --quick does.")] = False,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings of training, TOML or JSON.")] = None,
    from_log: Annotated[
        bool,
        typer.Option("--from-log", help="The ranker also learns from the lists the service showed, and the clicks."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of training and of the intervals.")] = 0,
    promote: Annotated[bool, typer.Option(help="Let a model that is not worse serve.")] = True,
    service: Annotated[
        str | None, typer.Option(metavar="URL", help="Wait until the service there has taken the model up.")
    ] = None,
    watch: Annotated[
        str, typer.Option(metavar="TIME", help="Watch the new model so long, such as 2h; roll back on a fall.")
    ] = "",
    every: Annotated[str, typer.Option(metavar="TIME", help="Pause between two looks.")] = "5m",
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew although a run of the same is not over.")] = False,
    thresholds: ThresholdFile = None,
    home: Home = _HOME,
) -> None:
    """Run the pipeline from fresh data to the serving model, or explain why the model was not promoted.

    gars pipeline run --spider "anime --older-than 30d" --service http://127.0.0.1:8000 --watch 2h
    """
    if quick and config:
        raise InvalidInputError("--quick and --config both say how to train", hint="give one of them")
    missing = [path for path in [*(crawled or []), *([lists] if lists else [])] if not path.is_file()]
    if missing:
        raise InvalidInputError(f"{missing[0]}: there is no such file", hint="check the path")
    settings = configuration.read(config) if config else QUICK if quick else FitConfig()
    progress = TerminalProgress(Console(stderr=True))
    watched, pause = (age(watch) if watch else None), age(every)
    asked = {
        "data": data,
        "crawled": [str(path.resolve()) for path in crawled or []],
        "spider": spider,
        "lists": str(lists.resolve()) if lists else None,
        **({"season": True} if season else {}),
        "config": settings,
        "from_log": from_log,
        "seed": seed,
        "promote": promote,
        "service": service,
        "watch": watch,
    }
    outside = Outside(
        find_base=lambda: _base(home, data),
        crawled=tuple(crawled or ()),
        crawl=world.crawl(home, shlex.split(spider)) if spider else None,
        lists=world.lists(home, lists, progress) if lists else None,
        season=(lambda: fetch_season(from_environment(os.environ, home=home), progress)) if season else None,
        deleted=lambda: deleted_at_the_service(home),
        deletions=lambda: world.deletions(home),
        shown=(lambda dataset: logged_training_data(home, dataset)) if from_log else None,
        confirm=world.confirm(service) if service else None,
        watch=(
            None
            if watched is None
            else lambda before, after, promoted: world.watch(
                world.looker(home, before, after, promoted), until=promoted + watched, every=pause, progress=progress
            )
        ),
    )
    with folder_lock(home / FOLDER, who="gars pipeline"):
        journal, goes_on = open_run(home, asked, fresh=fresh)
        progress.note(f"run {journal.folder.name}{', which is not over: going on with it' if goes_on else ''}")
        limits = read_thresholds(home, thresholds)
        pipeline = Pipeline(
            home=home,
            journal=journal,
            config=settings,
            seed=seed,
            thresholds=limits,
            outside=outside,
            progress=progress,
            promote=promote,
        )
        try:
            ended = pipeline.run()
        finally:
            _print(reports.write(journal))
    if ended.verdict == "rolled back":
        raise RolledBackError(ended.message, hint=f"the report: {journal.folder / reports.HTML}")


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Show this run whole.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the report of the run (or of the latest) as JSON.")
    ] = False,
    home: Home = _HOME,
) -> None:
    """Show the latest runs, or one of them."""
    found = runs(home)
    if name is not None:
        found = [one for one in found if one.folder.name.startswith(name)]
        if len(found) != 1:
            raise InvalidInputError(f"{len(found)} runs begin with {name!r}", hint="gars pipeline status lists them")
    if json and found:
        typer.echo(msgspec.json.encode(reports.report_of(found[-1])).decode())
        return
    if name is not None:
        _print(reports.report_of(found[0]))
        return
    table = Table("run", "steps", "minutes", "outcome", box=None, pad_edge=False)
    for one in found[-_SHOWN_RUNS:]:
        report = reports.report_of(one)
        minutes = sum(step.seconds for step in report.steps) / 60
        table.add_row(report.run, str(len(report.steps)), f"{minutes:.1f}", escape(report.outcome))
    console = Console(highlight=False)
    console.print(table if found else "no run yet; begin with: gars pipeline run")
    registry = Registry(home / "models")
    for one_back in rollbacks(registry)[-3:]:
        console.print(escape(f"rolled back {one_back.time}: {one_back.version} → {one_back.to}: {one_back.why}"))


@app.command("watch")
def watch_now(
    long: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Watch so long, such as 2h.  [default: one look]")
    ] = "",
    every: Annotated[str, typer.Option(metavar="TIME", help="Pause between two looks.")] = "5m",
    home: Home = _HOME,
) -> None:
    """Compare the serving model's clicks, likes, dismissals and fallbacks with those of the model before it.

    Rolls back if they have fallen. It does not matter whether a person or a run promoted the model.
    """
    console = Console(highlight=False)
    registry = Registry(home / "models")
    served = registry.promotions()
    current = registry.current()
    earlier = [one.version for one in served if one.version != current]
    taken_back = {one.version for one in rollbacks(registry)}
    if current is None or not earlier or earlier[-1] in taken_back:
        console.print("nothing to watch: no model took the place of another, or the last change was a roll back")
        return
    promoted = next(datetime.fromisoformat(one.time) for one in reversed(served) if one.version == current)
    look = world.looker(home, earlier[-1], current, promoted)
    until = datetime.now(UTC) + age(long) if long else datetime.now(UTC)
    progress = TerminalProgress(Console(stderr=True))
    if long:
        problem = world.watch(look, until=until, every=age(every), progress=progress)
    else:
        found = look(FIRM)
        problem = world.regression_message(found) if found.falls else None
        _print_look(console, found)
    if problem is None:
        console.print(f"{current} goes on")
        return
    roll_back(registry, version=current, to=earlier[-1], why=problem)
    raise RolledBackError(
        f"{earlier[-1]} serves again in place of {current}: {problem}", hint="what happened: gars pipeline status"
    )


@app.command()
def schedule(
    every: Annotated[str, typer.Option(help="daily or weekly.")] = "daily",
    options: Annotated[str, typer.Option(metavar="WORDS", help="Options of gars pipeline run.")] = "",
    home: Home = _HOME,
) -> None:
    """Print a crontab and systemd units that run the pipeline and watch what serves. Nothing is installed."""
    from gars.entrypoints.cli.pipeline_schedule import examples

    typer.echo(examples(every, options=options, home=home))


def _base(home: Path, name: str | None) -> Dataset:
    accepted = snapshots.accepted(home)
    if name is None and accepted is not None:
        return snapshots.open_snapshot(home, accepted)
    return open_named_or_newest(home, name)


def _print(report: reports.Report) -> None:
    console = Console(highlight=False)
    steps = Table(*reports.STEPS, box=None, pad_edge=False)
    for row in reports.step_rows(report):
        steps.add_row(*map(escape, row))
    console.print(steps)
    if report.verdict is not None:
        console.print(f"\ncandidate against {report.verdict.against}, {report.verdict.users:,} users")
        metrics = Table(*reports.METRICS, box=None, pad_edge=False)
        for row in reports.metric_rows(report.verdict):
            metrics.add_row(*map(escape, row))
        console.print(metrics)
    console.print(escape(report.outcome), soft_wrap=True)


def _print_look(console: Console, found: Look) -> None:
    console.print(f"{found.before.version}: {found.before.lists:,} lists, {found.before.users:,} users")
    console.print(f"{found.after.version}: {found.after.lists:,} lists, {found.after.users:,} users")
    table = Table("metric", "before", "after", "change", box=None, pad_edge=False)
    for one in found.changes:
        table.add_row(one.metric, f"{one.before:.1%}", f"{one.after:.1%}", f"{one.low:+.1%} to {one.high:+.1%}")
    console.print(table if found.changes else "too few lists to compare")
