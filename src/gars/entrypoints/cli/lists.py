"""``gars lists``: a user's own list, in, out, and gone."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gars.datasets.durable import write_whole
from gars.datasets.ownership import contains
from gars.domain.errors import InvalidInputError, MissingExtraError, StorageError

if TYPE_CHECKING:
    from gars.application.events.import_list import ImportReport
    from gars.entrypoints.cli.reach import Lists

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="A user's own list: in, out, and gone.")


class Site(enum.StrEnum):
    """Sites from which a list can be fetched by user name."""

    ANILIST = "anilist"
    MYANIMELIST = "myanimelist"


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
    """Import a list from MyAnimeList (XML, API), AniList, Kitsu, GARS or CSV; the format is found from its content."""
    content = _read(file)
    with _reach(home, server, engine_factory) as lists:
        _report(lists.import_list(user, content))


@app.command()
def fetch(
    site: Annotated[Site, typer.Argument(help="Where the list is kept.")],
    name: Annotated[str, typer.Argument(help="The user's name there; the list has to be public.")],
    user: User,
    home: Home = None,
    server: Server = None,
    engine_factory: Factory = None,
) -> None:
    """Fetch a public list by its owner's name and import it. MyAnimeList wants GARS_MAL_CLIENT_ID to be set."""
    with _reach(home, server, engine_factory) as lists:
        from gars.entrypoints.cli.reach import fetched

        _report(lists.import_list(user, fetched(site.value, name)))


@app.command()
def export(
    user: User,
    output: Annotated[Path | None, typer.Option(help="File to write.  [default: standard output]")] = None,
    home: Home = None,
    server: Server = None,
    engine_factory: Factory = None,
) -> None:
    """Write all data of a user as JSON; `gars lists import` takes it, here or elsewhere."""
    with _reach(home, server, engine_factory) as lists:
        content = lists.export(user)
    if output is None:
        sys.stdout.buffer.write(content + b"\n")
        return
    try:
        write_whole(output, content, mode=0o600, is_ours=contains(b'"gars_export"'))
    except OSError as error:
        raise StorageError(f"cannot write {output}: {error.strerror}", hint="choose another --output FILE") from error
    _print(f"[green]✓[/] {escape(str(output))}: {len(content):,} bytes")


@app.command()
def forget(
    user: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
    server: Server = None,
    engine_factory: Factory = None,
) -> None:
    """Delete all data of a user, for good."""
    if not yes and not typer.confirm(f"Delete everything known of {user}? This cannot be undone"):
        _print("nothing was deleted")
        return
    with _reach(home, server, engine_factory) as lists:
        events = lists.forget(user)
    _print(f"[green]✓[/] {escape(user)} is forgotten: {events} events deleted")


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


def _print(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(text)


def _report(report: ImportReport) -> None:
    _print(
        f"[green]✓[/] {report.taken} of {report.entries} titles taken for {escape(report.user_id)} "
        f"from this {escape(report.source)} ({report.events} events)"
    )
    for count, what in ((report.unchanged, "known already"), (report.duplicates, "repeated in the list")):
        if count:
            _print(f"  {count} {what}")
    if report.unknown:
        named = ", ".join(entry.name for entry in report.unknown[:_SHOWN])
        more = ", …" if len(report.unknown) > _SHOWN else ""
        _print(f"  {len(report.unknown)} not in the catalogue: {escape(named)}{more}")
    if report.newer_than_data:
        named = ", ".join(report.newer_titles)
        more = ", …" if report.newer_than_data > len(report.newer_titles) else ""
        _print(f"  {report.newer_than_data} newer than the ratings the model learned from: {escape(named)}{more}")
    for entry in report.skipped[:_SHOWN]:
        _print(f"  skipped {escape(entry.name)}: {escape(entry.why)}")
    if len(report.skipped) > _SHOWN:
        _print(f"  … and {len(report.skipped) - _SHOWN} more skipped")
    for note in report.notes:
        _print(f"  note: {escape(note)}")
