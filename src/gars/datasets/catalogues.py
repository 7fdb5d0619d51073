"""The catalogue of an import: the given file, else a catalogue built from fetched sources; it has every rated anime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gars.datasets.catalogue.build import SOURCES as CATALOGUE_SOURCES
from gars.datasets.catalogue.build import build_catalogue
from gars.datasets.dataset import SourceUsed
from gars.datasets.fetch import fetch
from gars.datasets.fetched import fetch_all, name_unlicensed
from gars.datasets.readers import crawl, mal2016, mal2018, mal2020, mal2023, mal2025, movielens, plain
from gars.datasets.readers.dialects import Layout, Role
from gars.datasets.schema import CATALOGUE, conform_catalogue
from gars.datasets.sources import CATALOGUE_2016, SOURCES, Source
from gars.domain.errors import DataError, InvalidInputError
from gars.runtime.progress import Progress

_READERS: dict[str, Callable[[Layout], pl.DataFrame]] = {
    "gars": lambda layout: _normal_form(layout),
    "gars-crawl": lambda layout: crawl.read_catalogue(layout.path),
    "kaggle-2016": lambda layout: mal2016.read_catalogue(layout.path),
    "kaggle-2018": lambda layout: mal2018.read_catalogue(layout.path),
    "kaggle-2020": lambda layout: mal2020.read_catalogue(layout.path),
    "kaggle-2023": lambda layout: mal2023.read_catalogue(layout.path),
    "kaggle-2025": lambda layout: mal2025.read_catalogue(layout.path),
    "movielens": movielens.read_catalogue,
    "plain": plain.read_catalogue,
}


def read_catalogue(layout: Layout) -> pl.DataFrame:
    """Read a file that ``detect`` called a catalogue. Raises ``DataError``."""
    return _READERS[layout.dialect](layout)


def _normal_form(layout: Layout) -> pl.DataFrame:
    if layout.path.suffix != ".parquet":
        raise DataError(
            f"{layout.path}: a catalogue in the normal form is a Parquet file", hint="give the .parquet file"
        )
    try:
        return conform_catalogue(pl.read_parquet(layout.path))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{layout.path}: cannot be read: {error}", hint="merge or build it again") from error


@dataclass(frozen=True, slots=True)
class CatalogueFiles:
    """The files of an import that are not interactions."""

    catalogue: Layout | None = None
    synopses: Layout | None = None
    statuses: Layout | None = None

    @classmethod
    def among(cls, layouts: Sequence[Layout]) -> CatalogueFiles:
        """Return the files by role; raises ``InvalidInputError`` for two of one role."""

        def only(role: Role) -> Layout | None:
            found = [layout for layout in layouts if layout.role == role]
            if len(found) > 1:
                names = ", ".join(layout.path.name for layout in found)
                raise InvalidInputError(f"{names}: more than one file of {role}", hint="import with one of them")
            return found[0] if found else None

        return cls(only("catalogue"), only("synopses"), only("statuses"))

    def read_or_unpack_2016(
        self, home: Path, mirror: Path | None, progress: Progress
    ) -> tuple[pl.DataFrame, list[SourceUsed]]:
        """Return the given catalogue, else the one of 2016, which is part of GARS."""
        if self.catalogue is not None:
            return read_catalogue(self.catalogue), []
        path = fetch(CATALOGUE_2016, home, mirror=mirror, progress=progress)
        return mal2016.read_catalogue(path), [as_used(CATALOGUE_2016)]


def complete_catalogue(
    files: CatalogueFiles,
    rated: set[int],
    *,
    mal_ids: bool,
    home: Path,
    mirror: Path | None,
    enrich: bool,
    progress: Progress,
    base: pl.DataFrame | None = None,
    licensed_only: bool = False,
) -> tuple[pl.DataFrame, list[SourceUsed], dict[str, Any]]:
    """Return a catalogue that holds every id in ``rated``, the fetched sources it is made of, and a report.

    With ``enrich``, the given catalogue's values for MyAnimeList ids stay and its gaps are filled from every source;
    without a given one the catalogue is that of the sources. An id without an entry gets one with only a number as
    title; the report has their count.
    """
    if base is None and files.catalogue is not None:
        base = read_catalogue(files.catalogue)
    known, used, skipped = base, [], {}
    if mal_ids and enrich:
        fetched = fetch_all(_sources(licensed_only), home, mirror=mirror, progress=progress)
        name_unlicensed(fetched.paths, progress)
        with progress.task("build the catalogue from all sources", 1) as advance:
            given = None if base is None else pl.concat([base, _untitled(rated - set(base["anime_id"].to_list()))])
            known = build_catalogue(fetched.by_name(), given=given).catalogue
            advance(1)
        used, skipped = [*map(as_used, fetched.paths)], fetched.skipped
    word = "anime" if mal_ids else "item"
    if known is None:
        progress.note(f"there is no catalogue among the files: titles are '{word} 1', '{word} 2', …")
        known = _bare(rated, word)
    orphans = rated - set(known["anime_id"].to_list())
    if orphans:
        progress.note(f"{len(orphans):,} rated {word} have no entry in the catalogue: their titles are their numbers")
        known = conform_catalogue(pl.concat([known, _bare(orphans, word)]))
    if files.synopses is not None:
        synopsis_table = mal2020.read_synopses(files.synopses.path).rename({"synopsis": "synopsis_2020"})
        joined = known.join(synopsis_table, on="anime_id", how="left")
        known = joined.with_columns(synopsis=pl.coalesce("synopsis", "synopsis_2020")).drop("synopsis_2020")
    return known, used, {"skipped_sources": skipped, "without_catalogue_entry": len(orphans)}


def as_used(source: Source) -> SourceUsed:
    """Return the manifest entry of a registered source."""
    return SourceUsed(source.name, source.digest, source.licence)


def _sources(licensed_only: bool) -> list[Source]:
    return [one for one in SOURCES if one.name in CATALOGUE_SOURCES and (one.licensed or not licensed_only)]


def _untitled(ids: set[int]) -> pl.DataFrame:
    """Return entries with only an id, to be filled from the sources."""
    kinds = {name: pl.lit(None, kind).alias(name) for name, kind in CATALOGUE.items() if name != "anime_id"}
    return (
        pl.DataFrame({"anime_id": sorted(ids)}, {"anime_id": pl.Int64()})
        .with_columns(kinds.values())
        .select(*CATALOGUE)
    )


def _bare(ids: set[int], word: str) -> pl.DataFrame:
    ordered = sorted(ids)
    frame = pl.DataFrame(
        {"anime_id": ordered, "title": [f"{word} {one}" for one in ordered]},
        schema={"anime_id": pl.Int64(), "title": pl.String()},
    )
    return conform_catalogue(frame)
