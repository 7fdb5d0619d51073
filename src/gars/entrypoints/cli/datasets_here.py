"""Which data sets a home has, and the one that is meant when none is named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gars.datasets.build import DEFAULT, SAMPLE
from gars.datasets.dataset import MANIFEST, Dataset
from gars.domain.errors import DataError, InvalidInputError

Home = Annotated[
    Path, typer.Option(envvar="GARS_HOME", help="Folder for downloads, data sets and models.", show_default=True)
]


def open_dataset(home: Path, name: str | None) -> Dataset:
    """The data set called ``name``; without a name, the only one there is.

    Raises:
        InvalidInputError: there are several and none was named.
        DataError: it is not there, or half-written.
    """
    if name is None:
        names = dataset_names(home)
        if len(names) > 1:
            raise InvalidInputError(f"which data set? there are {', '.join(names)}", hint=f"add its name: {names[0]}")
        name = names[0] if names else DEFAULT
    return Dataset.open(home / "data" / name)


def open_named_or_newest(home: Path, name: str | None) -> Dataset:
    """The named data set, or the one built last.

    Raises:
        DataError: there is none, or it is half-written.
    """
    if name is not None:
        return Dataset.open(home / "data" / name)
    built = sorted(home.glob(f"data/*/{MANIFEST}"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise DataError(f"there is no data set in {home / 'data'}", hint="make one with: gars data build")
    return Dataset.open(built[-1].parent)


def dataset_names(home: Path) -> list[str]:
    """Names of the data sets, those GARS makes itself first."""
    found = [path.parent.name for path in (home / "data").glob(f"*/{MANIFEST}") if not path.parent.name.startswith(".")]
    return sorted(found, key=lambda name: (name != DEFAULT, name != SAMPLE, name))
