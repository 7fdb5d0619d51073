"""``gars model``: list the trained models and manage which one serves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gars.config import from_environment
from gars.domain.errors import ArtefactError
from gars.library.artefact import read
from gars.library.registry import Registry
from gars.library.terminal import TerminalProgress

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, look at, promote and roll back trained models."
)
Home = Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of data and models.")]
_HOME = Path("var")
_WHEN = "a running gars serve takes it up now, else the next start does"


@app.command("list")
def list_models(home: Home = _HOME) -> None:
    """Show every model, the newest first; * marks the one that serves."""
    registry = Registry(home / "models")
    table = Table("", "version", "trained", "data", "users", "items", "seed", box=None, header_style="bold")
    for manifest in registry.versions():
        mark = "*" if manifest.version == registry.current() else ""
        facts = manifest.data
        table.add_row(
            mark,
            manifest.version,
            manifest.created,
            str(facts.get("name", "?")),
            f"{facts.get('users', 0):,}",
            f"{facts.get('items', 0):,}",
            str(manifest.seed),
        )
    console = Console()
    if not table.row_count:
        console.print(f"no models in {home / 'models'}; train one with: gars train", highlight=False)
        return
    console.print(table)


@app.command()
def show(
    version: Annotated[str | None, typer.Argument(help="Version, or its first letters.  [default: serving]")] = None,
    home: Home = _HOME,
) -> None:
    """Print a model's manifest as JSON, after verifying its files."""
    registry = Registry(home / "models")
    wanted = version or registry.current()
    matching = [m.version for m in registry.versions() if wanted and m.version.startswith(wanted)]
    if len(matching) != 1:
        raise ArtefactError(f"{len(matching)} models match '{wanted or ''}'", hint="gars model list")
    manifest, _ = read(home / "models" / matching[0])
    Console().print_json(msgspec.json.encode(manifest).decode())


@app.command()
def promote(version: Annotated[str, typer.Argument(help="Version, or its first letters.")], home: Home = _HOME) -> None:
    """Make a model the one that serves; a running service takes it up within seconds."""
    _print_serving(Registry(home / "models").promote(version).version, home)


@app.command()
def rollback(home: Home = _HOME) -> None:
    """Go back to the model that served before."""
    _print_serving(Registry(home / "models").rollback().version, home)


@app.command()
def publish(
    again: Annotated[bool, typer.Option("--again", help="Write also what Redis has already.")] = False,
    home: Home = _HOME,
) -> None:
    """Write the serving model's vectors and neighbour lists to Redis, by version; the one before goes after a day."""
    from gars.bootstrap.publishing import publish_model  # not at the top: the other commands need no model

    progress = TerminalProgress(Console(stderr=True))
    version, titles = publish_model(from_environment(os.environ, home=home), progress, again=again)
    message = f"{version} is in Redis now: {titles:,} titles" if titles else f"{version} was in Redis already"
    Console().print(message, highlight=False)


def _print_serving(version: str, home: Path) -> None:
    """Print the serving version, and the command that publishes its vectors if Redis is used."""
    console = Console()
    console.print(f"{version} serves: {_WHEN}", highlight=False)
    from gars.bootstrap.addresses import REDIS, scheme

    if scheme(from_environment(os.environ, home=home).state_store) in REDIS:
        console.print("its vectors come to Redis with: gars model publish", highlight=False)
    elif (home / "stack" / "ports.json").is_file():
        console.print("its vectors come to the Redis of the stack with: gars stack up publish", highlight=False)
