"""``gars lists``: a user's own list, in, out, and gone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gars.domain.errors import InvalidInputError, MissingExtraError

if TYPE_CHECKING:
    from gars.application.import_list import ImportReport
    from gars.entrypoints.cli.reach import Lists

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Bring in a user's list from another site.")

User = Annotated[str, typer.Option("--user", help="The user whose list it is here.")]
Home = Annotated[Path | None, typer.Option(help="Folder of data and models.  [default: GARS_HOME or var]")]
Server = Annotated[
    str | None, typer.Option(help="Address of a running service.  [default: the folder, or the service that holds it]")
]
Factory = Annotated[str | None, typer.Option("--engine-factory", hidden=True, help="For tests: module:function.")]
_SHOWN = 10


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="The file as the site gave it; - reads standard input.")],
    user: User,
    home: Home = None,
    server: Server = None,
    engine_factory: Factory = None,
) -> None:
    """Import a list from MyAnimeList (XML, API), AniList, Kitsu, GARS or CSV; what it is, is seen by its content."""
    content = _read(file)
    with _reach(home, server, engine_factory) as lists:
        _report(lists.import_list(user, content))


@contextmanager
def _reach(home: Path | None, server: str | None, engine_factory: str | None) -> Iterator[Lists]:
    try:
        from gars.entrypoints.cli.reach import reach
    except ImportError as error:
        raise MissingExtraError("gars lists", "serve") from error
    with reach(home, server, engine_factory) as lists:
        yield lists


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror}", hint="check the path") from error


def _report(report: ImportReport) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"[green]✓[/] {report.taken} of {report.entries} titles taken for {escape(report.user_id)} "
        f"from this {escape(report.source)} ({report.events} events)"
    )
    for count, what in ((report.unchanged, "known already"), (report.duplicates, "repeated in the list")):
        if count:
            console.print(f"  {count} {what}")
    if report.unknown:
        named = ", ".join(entry.name for entry in report.unknown[:_SHOWN])
        more = ", …" if len(report.unknown) > _SHOWN else ""
        console.print(f"  {len(report.unknown)} not in the catalogue: {escape(named)}{more}")
    for entry in report.skipped[:_SHOWN]:
        console.print(f"  skipped {escape(entry.name)}: {escape(entry.why)}")
    if len(report.skipped) > _SHOWN:
        console.print(f"  … and {len(report.skipped) - _SHOWN} more skipped")
    for note in report.notes:
        console.print(f"  note: {escape(note)}")
