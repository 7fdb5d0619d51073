"""``gars``: one command for data, models and the service."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from gars.domain.errors import GarsError, MissingExtraError
from gars.library.malloc import keep_freed_memory

_COMMANDS: dict[str, tuple[str, str, str | None]] = {
    "demo": ("demo", "demo", None),
    "data": ("data", "app", None),
    "train": ("train", "train", None),
    "evaluate": ("evaluate", "evaluate", None),
    "tune": ("tune", "tune", None),
    "tensorboard": ("tensorboard", "tensorboard", None),
    "recommend": ("recommend", "recommend", None),
    "serve": ("serve", "serve", "serve"),
    "lists": ("lists", "app", None),
    "model": ("model", "app", None),
    "token": ("tokens", "token", None),
    "revoke": ("tokens", "revoke", None),
    "replay": ("states", "replay", "serve"),
    "backfill": ("states", "backfill", "serve"),
    "doctor": ("doctor", "doctor", "serve"),
    "backup": ("backup", "backup", "serve"),
    "restore": ("backup", "restore", "serve"),
    "pipeline": ("pipeline", "app", None),
    "spider": ("spider", "app", None),
    "offline": ("offline", "app", None),
    "worker": ("worker", "app", "serve"),
    "stack": ("stack", "app", "cluster"),
}
"""Module and name of each command, and the extra without which its module cannot be imported."""


class _Commands(Mapping[str, Any]):
    """The commands by name. A module is imported when its command is asked for: ``gars serve`` needs no trainer."""

    def __getitem__(self, name: str) -> Any:
        module, attribute, extra = _COMMANDS[name]
        try:
            command = getattr(importlib.import_module(f"gars.entrypoints.cli.{module}"), attribute)
        except ImportError:
            if extra is None:
                raise
            return _refusal(name, extra)
        return typer.main.get_group(command) if isinstance(command, typer.Typer) else _single(name, command)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in _COMMANDS else default  # the base class hides any KeyError of an import

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


def _single(name: str, command: Callable[..., object], **settings: object) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, context_settings=settings)(command)
    return typer.main.get_command(alone)


def _refusal(name: str, extra: str) -> Any:
    """Return a command that takes anything and fails with the extra that ``gars name`` needs."""

    def refuse() -> NoReturn:
        raise MissingExtraError(f"gars {name}", extra)

    refuse.__doc__ = f"Needs the {extra} extra."
    return _single(name, refuse, allow_extra_args=True, ignore_unknown_options=True)


class _Group(TyperGroup):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = cast("Any", _Commands())


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help=(
        "Great Anime Recommendation System.\n\n"
        "From nothing to a page in one command: gars demo. Step by step: gars data build, gars train, gars serve."
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gars {importlib.metadata.version('gars')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that come before a command."""


def main() -> None:
    """Run the command line; a GARS error is one readable message and exit code 1."""
    keep_freed_memory()
    try:
        app()
    except GarsError as error:
        console = Console(stderr=True)
        console.print(f"[red]✗[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        if error.hint:
            console.print(f"  [dim]→[/] {escape(error.hint)}", highlight=False, soft_wrap=True)
        sys.exit(1)
