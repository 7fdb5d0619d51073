"""``gars recommend``: the lists of many users in one Parquet file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from rich.console import Console

from gars.domain.errors import ArtefactError, DataError
from gars.library.lists_file import write_lists
from gars.library.recommender import Item, Recommender
from gars.library.registry import Registry
from gars.library.terminal import TerminalProgress


def recommend(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Parquet file: user_id, place (from 1), item_id.")],
    users: Annotated[
        str, typer.Option(metavar="all|FILE", help="All training users, or a text file with one user id a line.")
    ] = "all",
    k: Annotated[int, typer.Option("--k", min=1, help="Places of each list.")] = 100,
    model: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Version, or its first letters.  [default: serving]")
    ] = None,
    home: Annotated[Path, typer.Option(envvar="GARS_HOME", help="Folder of data and models.")] = Path("var"),
) -> None:
    """Write the lists of many users into one Parquet file, whole or not at all."""
    registry = Registry(home / "models")
    version = registry.find(model) if model else registry.current()
    if version is None:
        raise ArtefactError(f"no model serves in {registry.folder}", hint="gars train, or name one with --model")
    recommender = Recommender.load(registry.folder / version)
    wanted = None if users == "all" else _read_users(Path(users), recommender)
    console = Console(stderr=True)
    started = time.perf_counter()
    n = write_lists(recommender, out, user_ids=wanted, k=k, progress=TerminalProgress(console))
    seconds = time.perf_counter() - started
    console.print(f"[green]✓[/] {n:,} lists in {out}, {n / max(seconds, 1e-9):,.0f} a second", highlight=False)


def _read_users(path: Path, recommender: Recommender) -> list[Item]:
    try:
        lines = pl.Series([line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()])
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"user ids: {path} cannot be read: {error}", hint="a text file with one id a line") from error
    if not len(lines):
        raise DataError(f"user ids: {path} holds no id", hint="one id a line, or --users all")
    if not np.issubdtype(recommender.user_ids.dtype, np.integer):
        return list(lines.to_list())
    numbers = lines.cast(pl.Int64, strict=False)
    if numbers.null_count():
        wrong = lines.filter(numbers.is_null())[0]
        raise DataError(f"user ids: {path}: {wrong!r} is not a number", hint="the model's user ids are whole numbers")
    return list(numbers.to_list())
