"""``gars data merge``: fresh pages into an older catalogue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gars.config import from_environment
from gars.datasets.importing import check_name
from gars.datasets.merged_files import CATALOGUE_FILE, CONFLICT_FILE, How, MergeReport, merge_files
from gars.datasets.refreshed import refreshed
from gars.domain.errors import InvalidInputError
from gars.entrypoints.cli.datasets_here import Home, open_dataset
from gars.entrypoints.season import fetch_season
from gars.library.terminal import TerminalProgress

_SHOWN = 8


def merge(
    original: Annotated[Path, typer.Argument(help="Catalogue of the original data, such as anime.csv.")],
    crawls: Annotated[list[Path], typer.Argument(help="What the spider wrote: CSV, JSON lines or Parquet.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")] = Path("merged"),
    how: Annotated[str, typer.Option(help="left keeps the anime of the original, full adds new ones.")] = "left",
) -> None:
    """Join crawls to the catalogue of the original data.

    Writes merged.csv (the rows of the original with the columns of the crawl added), parsed_anime.csv (the same with
    dates in one form), catalogue.parquet (one catalogue for gars data import), conflicts.csv, provenance.parquet and
    merge.json.

      gars data merge anime.csv output.csv --out merged

      gars data import rating.csv merged/catalogue.parquet --name fresh
    """
    joins: dict[str, How] = {"left": "left", "full": "full"}
    if how not in joins:
        raise InvalidInputError(f"--how {how} is not known", hint="choose left or full")
    report = merge_files(original, crawls, out, how=joins[how])
    Console(highlight=False).print(_shown(report, out))


def refresh(
    name: Annotated[str | None, typer.Argument(help="Data set to start from.  [default: the only one]")] = None,
    new_name: Annotated[
        str | None, typer.Option("--name", help="Name of the new data set.  [default: NAME-fresh]")
    ] = None,
    crawls: Annotated[
        list[Path] | None, typer.Option("--crawl", help="What the spider wrote of anime; may be repeated.")
    ] = None,
    lists: Annotated[str | None, typer.Option(help="Data set of newer lists; its users replace their rows.")] = None,
    season: Annotated[
        bool, typer.Option("--season", help="Ask AniList for this season, the next, and the anime that are running.")
    ] = False,
    home: Home = Path("var"),
) -> None:
    """Make a new data set of an older one, a crawl of its anime, newer lists, and the anime of the season.

    gars data refresh mal --season --name fresh
    """
    dataset = open_dataset(home, name)
    new_name = new_name or f"{dataset.name}-fresh"
    check_name(new_name)
    newer = open_dataset(home, lists) if lists is not None else None
    airing = fetch_season(from_environment(os.environ, home=home), TerminalProgress()) if season else None
    made = refreshed(dataset, home / "data" / new_name, crawls=crawls or [], lists=newer, season=airing)
    counts = f"{made.manifest.rows:,} rows, {made.manifest.users:,} users, {made.catalogue().height:,} anime known"
    Console(highlight=False).print(escape(f"{made.path}: {counts}"), soft_wrap=True)


def _shown(report: MergeReport, out: Path) -> Group:
    facts = Table.grid(padding=(0, 2))
    values = {
        "anime": f"{report.original:,} original, {report.crawled:,} crawled, {report.both:,} in both",
        "new": f"{report.only_crawled:,} only in the crawl, {'added' if report.how == 'full' else 'left out'}",
        "not crawled": f"{report.only_original:,} as they were",
        "dates": ", ".join(f"{count:,} {name}" for name, count in report.dates.items()),
        "unreadable dates": f"{report.unreadable_dates:,} {', '.join(map(repr, report.unreadable_examples))}".strip(),
        "conflicts": ", ".join(f"{count:,} {name}" for name, count in list(report.conflicts.items())[:_SHOWN])
        or "none",
    }
    for name, value in values.items():
        facts.add_row(name, escape(value))
    where = Text(f"{out / CATALOGUE_FILE}: {report.catalogue:,} anime; disagreements in {out / CONFLICT_FILE}")
    return Group(facts, where)
