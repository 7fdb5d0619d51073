"""``gars``: one command for data, models and the service."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gars.domain.errors import GarsError, MissingExtraError
from gars.entrypoints.cli import data, lists, model, offline, pipeline, spider
from gars.entrypoints.cli.demo import demo
from gars.entrypoints.cli.evaluate import evaluate
from gars.entrypoints.cli.recommend import recommend
from gars.entrypoints.cli.tensorboard import tensorboard
from gars.entrypoints.cli.tokens import revoke, token
from gars.entrypoints.cli.train import train
from gars.entrypoints.cli.tune import tune
from gars.library.malloc import keep_freed_memory

app = typer.Typer(
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


app.command()(demo)
app.add_typer(data.app, name="data")
app.command()(train)
app.command()(evaluate)
app.command()(recommend)
app.command()(tune)
app.command()(tensorboard)
app.command()(token)
app.command()(revoke)
app.add_typer(lists.app, name="lists")
app.add_typer(model.app, name="model")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(spider.app, name="spider")
app.add_typer(offline.app, name="offline")


try:
    from gars.entrypoints.cli.serve import serve
except ImportError:  # without the extra the other commands still work

    @app.command("serve")
    def _needs_the_extra() -> None:
        """Serve recommendations and the page (needs the serve extra)."""
        raise MissingExtraError("gars serve", "serve")

else:
    app.command()(serve)

try:
    from gars.entrypoints.cli import worker
    from gars.entrypoints.cli.backup import backup, restore
    from gars.entrypoints.cli.doctor import doctor
    from gars.entrypoints.cli.states import backfill, replay
except ImportError:
    for _name in ("worker", "replay", "backfill", "doctor", "backup", "restore"):

        @app.command(_name)
        def _needs_the_serve_extra() -> None:
            """Look after a service's stores (needs the serve extra)."""
            raise MissingExtraError("this command", "serve")

else:
    app.add_typer(worker.app, name="worker")
    app.command()(replay)
    app.command()(backfill)
    app.command()(doctor)
    app.command()(backup)
    app.command()(restore)

try:
    from gars.entrypoints.cli import stack
except ImportError:

    @app.command("stack")
    def _needs_the_cluster_extra() -> None:
        """Run the engines of the cluster profile on this machine (needs the cluster extra)."""
        raise MissingExtraError("gars stack", "cluster")

else:
    app.add_typer(stack.app, name="stack")


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
