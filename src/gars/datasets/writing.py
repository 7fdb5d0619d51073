"""Write a data set: parts as they come, the manifest last, the whole folder at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from gars.datasets.dataset import (
    CATALOGUE_FILE,
    INTERACTIONS_FOLDER,
    MANIFEST,
    PROVENANCE_FILE,
    USERS_FILE,
    Dataset,
    Manifest,
    SourceUsed,
    written_names,
)
from gars.datasets.durable import whole_folder
from gars.datasets.schema import CATALOGUE, INTERACTIONS, STATUSES, USERS
from gars.domain.errors import DataError


class Written(msgspec.Struct):
    """Running counts while parts are written; ``digest`` is over the rows, part borders do not change it."""

    rows: int = 0
    users: int = 0
    last_user: int | None = None
    anime: set[int] = msgspec.field(default_factory=set)


def write_dataset(
    target: Path,
    *,
    name: str,
    dialect: str,
    simulated: bool,
    sources: list[SourceUsed],
    parts: Iterable[pl.DataFrame],
    catalogue: pl.DataFrame,
    duplicates: Callable[[], int] = lambda: 0,
    report: dict[str, Any] | None = None,
    of_users: pl.DataFrame | None = None,
    provenance: pl.DataFrame | None = None,
) -> Dataset:
    """Write ``parts`` (sorted by user within and across) and ``catalogue`` to ``target``, whole or not at all.

    ``of_users`` has the columns of ``schema.USERS``; without rows it is left out. ``provenance`` names the source of
    each value of ``catalogue``: ``anime_id`` and one column a field. ``duplicates`` is asked when the last part is
    written.

    Raises:
        DataError: there is not one row.
        InvalidInputError: ``target`` exists and is something else than a data set.
    """
    digest = hashlib.sha256()
    written = Written()
    with whole_folder(target, written_names=written_names) as folder:
        (folder / INTERACTIONS_FOLDER).mkdir()
        for number, part in enumerate(part for part in parts if part.height):
            _count(part, written, digest)
            part.select(*INTERACTIONS).write_parquet(
                folder / INTERACTIONS_FOLDER / f"part-{number:05d}.parquet", statistics=True
            )
        if written.rows == 0:
            raise DataError(
                f"no interactions to write for '{name}'", hint="check that the file has rows below its header"
            )
        catalogue.select(*CATALOGUE).write_parquet(folder / CATALOGUE_FILE)
        digest.update(catalogue.select(*CATALOGUE).write_json().encode())
        if provenance is not None:
            provenance.write_parquet(folder / PROVENANCE_FILE)
        if of_users is not None and of_users.height:
            of_users.select(*USERS).write_parquet(folder / USERS_FILE)
            digest.update(of_users.select(*USERS).write_json().encode())
        manifest = Manifest(
            name=name,
            dialect=dialect,
            simulated=simulated,
            sources=sources,
            rows=written.rows,
            users=written.users,
            anime=len(written.anime),
            duplicates=duplicates(),
            content_hash=digest.hexdigest(),
            report=report or {},
        )
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return Dataset.open(target)


def _count(part: pl.DataFrame, written: Written, digest: hashlib._Hash) -> None:
    users = part["user_id"]
    written.rows += part.height
    written.users += users.n_unique() - (written.last_user == users[0])
    written.last_user = users[-1]
    written.anime.update(part["anime_id"].unique().to_list())
    status = pl.col("status").replace_strict({name: place + 1 for place, name in enumerate(STATUSES)}, default=0)
    time = pl.col("time").cast(pl.Int64)
    numbers = part.select(
        "user_id", "anime_id", pl.col("rating").fill_null(0), status.alias("status"), time.fill_null(0)
    )
    digest.update(np.ascontiguousarray(numbers.cast(pl.Int64).to_numpy()).tobytes())
