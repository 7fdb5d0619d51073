"""``gars spider``: ask a site for its catalogue or its public lists, with permission and without haste."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gars.config import from_environment
from gars.domain.errors import GarsError, InvalidInputError, MissingExtraError
from gars.spider import permission

if TYPE_CHECKING:
    from gars.spider.run import Summary

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "Collect fresh data from an anime site: off until you say that you have permission.\n\n"
        f"{permission.TERMS} robots.txt is obeyed, requests come at least two seconds apart, the User-Agent says who "
        "asks, and user names are never written."
    ),
)


class NothingCrawledError(GarsError):
    """Not one address gave anything."""

    code = "nothing_crawled"


_NOTHING_KNOWN = 0.005


@app.callback()
def spider() -> None:
    """Keep ``run`` a subcommand while it is the only one."""


@app.command()
def run(
    name: Annotated[str, typer.Argument(metavar="SPIDER", help="anime, season, top, lists or jikan.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write CSV, JSON lines or Parquet, whole.")] = None,
    ids: Annotated[str, typer.Option(help="anime, jikan: only these, such as 1,5,20-30.")] = "",
    ids_file: Annotated[Path | None, typer.Option(help="anime, jikan: a file with ids.")] = None,
    seasons: Annotated[str, typer.Option(help="anime, season: such as 1998-spring,1998-summer.")] = "",
    relations: Annotated[bool, typer.Option("--relations", help="anime: follow ties to other anime.")] = False,
    names: Annotated[Path | None, typer.Option(help="lists: a file with a user name a line.")] = None,
    pages: Annotated[int | None, typer.Option(min=1, help="top: pages of fifty to read.")] = None,
    older_than: Annotated[str, typer.Option(help="Ask again for what is older, such as 30d; else only for new.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after about as many items.")] = None,
    i_have_permission: Annotated[
        bool, typer.Option("--i-have-permission", help="Say, once a site, that you may collect its pages.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option(envvar="GARS_HOME", help="Folder of everything GARS keeps.", show_default="var")
    ] = None,
) -> None:
    """Crawl. What was stopped goes on when you run the same command again; nothing is asked for twice.

    gars spider run anime --out output.csv --i-have-permission

    gars spider run anime --older-than 30d --out output.csv
    """
    if name not in _TAKES:
        raise InvalidInputError(f"there is no spider {name!r}", hint=f"choose {', '.join(_TAKES)}")
    settings = from_environment(os.environ, home=home)
    if i_have_permission:
        site = settings.spider_api if name == "jikan" else settings.spider_site
        permission.grant(settings.home, site, datetime.now(UTC))
    arguments = _arguments(
        name,
        {
            "ids": ids,
            "ids_file": str(ids_file or ""),
            "seasons": seasons,
            "relations": "yes" if relations else "",
            "names": str(names or ""),
            "pages": str(pages or ""),
            "older_than": older_than,
        },
    )
    # Scrapy is an extra, and takes a second to import.
    try:
        from gars.spider.run import run_spider
    except ImportError as error:
        raise MissingExtraError("gars spider", "spider") from error
    from gars.library.terminal import TerminalProgress

    summary = run_spider(name, settings, arguments=arguments, out=out, progress=TerminalProgress(), limit=limit)
    _print_summary(summary, out)


_TAKES = {
    "anime": {"ids", "ids_file", "seasons", "relations", "older_than"},
    "jikan": {"ids", "ids_file", "older_than"},
    "season": {"seasons"},
    "top": {"pages"},
    "lists": {"names", "older_than"},
}


def _arguments(name: str, given: dict[str, str]) -> dict[str, str]:
    used = {option: value for option, value in given.items() if value}
    foreign = sorted(used.keys() - _TAKES[name])
    if foreign:
        option = foreign[0].replace("_", "-")
        takes = ", ".join(f"--{one.replace('_', '-')}" for one in sorted(_TAKES[name]))
        raise InvalidInputError(f"the spider {name} has no --{option}", hint=f"it has {takes}")
    return used


def _print_summary(summary: Summary, out: Path | None) -> None:
    console = Console(highlight=False)
    console.print(f"{summary.items:,} item(s) crawled, {summary.fresh:,} fresh enough")
    for reason, count in sorted(summary.failed.items()):
        console.print(escape(f"{count:,} gave nothing: {reason}"))
    empty = [name for name, share in summary.filled.items() if share < _NOTHING_KNOWN]
    if empty:
        console.print(f"no record knows {', '.join(empty)}: if pages do, the site has changed its layout")
    if out is not None:
        console.print(escape(f"{out}: {summary.written:,} row(s)"), soft_wrap=True)
    if not summary.finished:
        console.print(escape(f"stopped ({summary.reason}): the same command goes on where it was"))
        raise typer.Exit(1)
    if summary.failed and not summary.items and not summary.fresh:
        raise NothingCrawledError(
            f"nothing was crawled: {', '.join(summary.failed)}", hint="open the site in a browser: is it there?"
        )
