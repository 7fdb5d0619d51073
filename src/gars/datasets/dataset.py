"""A data set in the normal form, on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from gars.datasets.schema import ADDED_LATER, CATALOGUE, USERS
from gars.domain.anime import Anime
from gars.domain.errors import DataError

MANIFEST = "dataset.json"
CATALOGUE_FILE = "catalogue.parquet"
PROVENANCE_FILE = "provenance.parquet"
INTERACTIONS_FOLDER = "interactions"
USERS_FILE = "users.parquet"
_PART = re.compile(r"part-\d{5,}\.parquet")


class SourceUsed(msgspec.Struct, frozen=True):
    """A file the data set was made from."""

    name: str
    sha256: str
    licence: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """``dataset.json``: what the data set is made of and what was counted when it was written."""

    name: str
    dialect: str
    simulated: bool
    sources: list[SourceUsed]
    rows: int
    users: int
    anime: int
    duplicates: int
    content_hash: str
    report: dict[str, Any] = msgspec.field(default_factory=dict)


class Dataset:
    """A data set in the normal form.

    ``interactions/part-*.parquet``, ``catalogue.parquet``, ``dataset.json``, and ``users.parquet`` if it is made of
    several crawls.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: Path) -> Dataset:
        """Open the data set in ``path``; raises ``DataError`` when it is missing or half-written."""
        if not path.is_dir():
            raise DataError(f"there is no data set in {path}", hint="make one with: gars data build")
        lacking = [name for name in (MANIFEST, CATALOGUE_FILE, INTERACTIONS_FOLDER) if not (path / name).exists()]
        if lacking:
            raise DataError(
                f"the data set in {path} is half-written: {', '.join(lacking)} missing",
                hint="remove that folder and build it again: gars data build",
            )
        try:
            manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
        except msgspec.DecodeError as error:
            raise DataError(
                f"{path / MANIFEST} is damaged: {error}", hint="remove that folder and build it again: gars data build"
            ) from error
        return cls(path, manifest)

    @property
    def name(self) -> str:
        """Return the name of the data set."""
        return self.manifest.name

    @property
    def simulated(self) -> bool:
        """Return true if its users were simulated."""
        return self.manifest.simulated

    @property
    def content_hash(self) -> str:
        """Return the hash of the rows: equal data have equal hashes, independent of the writer."""
        return self.manifest.content_hash

    def parts(self) -> list[Path]:
        """Return the interaction files in order; all rows of a user are in one of them."""
        return sorted((self.path / INTERACTIONS_FOLDER).glob("part-*.parquet"))

    def interactions(self) -> pl.LazyFrame:
        """Scan the interactions: one row per (user, anime), sorted by both; columns of ``schema.INTERACTIONS``."""
        return pl.scan_parquet(self.parts())

    def catalogue(self) -> pl.DataFrame:
        """Read the catalogue: one row per anime, sorted by id; columns of ``schema.CATALOGUE``, also of old files."""
        frame = pl.read_parquet(self.path / CATALOGUE_FILE)
        return frame.with_columns(
            pl.lit(None, dtype=CATALOGUE[name]).alias(name) for name in ADDED_LATER if name not in frame.columns
        )

    def provenance(self) -> pl.DataFrame | None:
        """Return the name of the source of each value: ``anime_id`` and one column a field; ``None`` if not kept."""
        path = self.path / PROVENANCE_FILE
        return pl.read_parquet(path) if path.exists() else None

    def users(self) -> pl.DataFrame:
        """Return columns of ``schema.USERS``: empty for a data set of one crawl, where every list is whole."""
        path = self.path / USERS_FILE
        return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=USERS)


def written_names(path: Path) -> set[str]:
    """Return the file names of the data set in ``path``; empty if it is not a data set."""
    try:
        dataset = Dataset.open(path)
    except (DataError, OSError):
        return set()
    parts = {f"{INTERACTIONS_FOLDER}/{part.name}" for part in dataset.parts() if _PART.fullmatch(part.name)}
    return {MANIFEST, CATALOGUE_FILE, USERS_FILE, PROVENANCE_FILE, f"{INTERACTIONS_FOLDER}/", *parts}


def catalogue_anime(frame: pl.DataFrame) -> list[Anime]:
    """Convert catalogue rows to ``Anime``, ascending by id; ``frame`` has columns of ``schema.CATALOGUE``."""
    return msgspec.convert(frame.sort("anime_id").to_dicts(), list[Anime])
