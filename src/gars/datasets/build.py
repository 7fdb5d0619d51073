"""Make the data set that is built in: real users of MyAnimeList, joined with what the sources know of their anime."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from gars.datasets import sources
from gars.datasets.catalogue.build import SOURCES as CATALOGUE_SOURCES
from gars.datasets.catalogue.build import build_catalogue
from gars.datasets.catalogues import as_used
from gars.datasets.dataset import Dataset
from gars.datasets.fetch import fetch
from gars.datasets.fetched import fetch_all, name_unlicensed
from gars.datasets.joined_lists import join_lists
from gars.datasets.readers import mal2016
from gars.datasets.shipped import SHIPPED, shipped_sample
from gars.datasets.sources import ENRICHING, Source
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError
from gars.runtime.progress import Progress

DEFAULT = "mal"
SAMPLE = "mal-2016-sample"
RECIPE = 4
"""Raised when the same sources would be read into other rows: a data set of an older recipe is built again."""


_DEFAULT_SOURCES = tuple(source for source in sources.SOURCES if source.use != "evaluation" and source not in SHIPPED)


def build_default(home: Path, *, mirror: Path | None, progress: Progress, licensed_only: bool = False) -> Dataset:
    """Write the lists of all crawls and a catalogue of all sources to ``home/data/mal``.

    The ratings of 2016 are part of GARS; every other source that cannot be had is left out with one line and named in
    the manifest. ``licensed_only`` leaves out sources whose publisher states no licence. A data set made of the same
    sources is used as it is, and never replaced by one made of fewer, except for ``licensed_only``.

    Raises:
        StorageError: the disk is full.
    """
    target = home / "data" / DEFAULT
    if whole := standing(home, licensed_only=licensed_only):
        return whole
    wanted = _wanted(licensed_only)
    kept = _allowed(_kept(target), wanted)
    catalogue_2016 = fetch(sources.CATALOGUE_2016, home, mirror=mirror, progress=progress)
    fetched = fetch_all(wanted, home, mirror=mirror, progress=progress)
    used = [*SHIPPED, *fetched.paths]
    if kept and _made_of(kept, used):
        return kept
    name_unlicensed(fetched.paths, progress)
    paths = {sources.CATALOGUE_2016.name: catalogue_2016, **fetched.by_name()}
    with progress.task("build the catalogue from all sources", 1) as advance:
        built = build_catalogue({name: path for name, path in paths.items() if name in CATALOGUE_SOURCES})
        advance(1)
    with progress.task("read the lists and write the data set", 2) as advance:
        sample = shipped_sample(mal2016.read_catalogue(catalogue_2016)).interactions
        lists = join_lists(sample, fetched.paths, built.catalogue)
        advance(1)
        dataset = write_dataset(
            target,
            name=DEFAULT,
            dialect="gars",
            simulated=False,
            sources=[*map(as_used, used)],
            parts=[lists.interactions],
            catalogue=built.catalogue,
            provenance=built.provenance,
            duplicates=lambda: lists.duplicates,
            of_users=lists.users,
            report={
                "recipe": RECIPE,
                "skipped_sources": fetched.skipped,
                "licensed_only": licensed_only,
                **lists.report,
                "catalogue": msgspec.to_builtins(built.report),
            },
        )
        advance(1)
    return dataset


def standing(home: Path, *, licensed_only: bool = False) -> Dataset | None:
    """Return the data set of the demo if it is there and made of all sources that are wanted."""
    wanted = _wanted(licensed_only)
    kept = _allowed(_kept(home / "data" / DEFAULT), wanted)
    return kept if kept and _made_of(kept, [*SHIPPED, *wanted]) else None


def _wanted(licensed_only: bool) -> list[Source]:
    return [source for source in _DEFAULT_SOURCES if source.licensed or not licensed_only]


def _allowed(kept: Dataset | None, wanted: Iterable[Source]) -> Dataset | None:
    """Return ``kept`` unless it is made of a built-in source that is not wanted."""
    refused = {as_used(source) for source in set(_DEFAULT_SOURCES) - set(wanted)}
    return None if kept is None or refused & set(kept.manifest.sources) else kept


def build_sample(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """Write the 2016 ratings sample, which is part of GARS, to ``home/data/mal-2016-sample``.

    Every anime id is a MyAnimeList id, user ids are the sample's. Sources that only enrich the catalogue are left out
    when they cannot be had, each with one line. A data set made of the same sources is used as it is.

    Raises:
        StorageError: the disk is full.
    """
    target = home / "data" / SAMPLE
    kept = _kept(target)
    if kept and _made_of(kept, [*SHIPPED, *ENRICHING]):
        return kept
    catalogue = fetch(sources.CATALOGUE_2016, home, mirror=mirror, progress=progress)
    extras = fetch_all(ENRICHING, home, mirror=mirror, progress=progress)
    used = [*SHIPPED, *extras.paths]
    if kept and _made_of(kept, used):
        return kept
    with progress.task("read the ratings sample and its catalogue", 3) as advance:
        base = mal2016.read_catalogue(catalogue)
        interactions = shipped_sample(base).interactions
        advance(1)
        built = build_catalogue(extras.by_name(), base)
        advance(1)
        dataset = write_dataset(
            target,
            name=SAMPLE,
            dialect="caserec",
            simulated=False,
            sources=[*map(as_used, used)],
            parts=[interactions],
            catalogue=built.catalogue,
            provenance=built.provenance,
            report={"recipe": RECIPE, "skipped_sources": extras.skipped},
        )
        advance(1)
    return dataset


def _kept(target: Path) -> Dataset | None:
    """Return the data set in ``target`` if it is complete and of this recipe."""
    try:
        dataset = Dataset.open(target)
    except DataError:
        return None
    return dataset if dataset.manifest.report.get("recipe") == RECIPE else None


def _made_of(dataset: Dataset, wanted: Iterable[Source]) -> bool:
    return {as_used(source) for source in wanted} <= set(dataset.manifest.sources)
