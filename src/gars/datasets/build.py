"""Make the data set that is built in: real users of MyAnimeList, joined with what the sources know of their anime."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gars.application.progress import Progress
from gars.datasets import sources
from gars.datasets.catalogues import as_used
from gars.datasets.dataset import Dataset
from gars.datasets.enrich.catalogue import enriched
from gars.datasets.extras import ENRICHING, read_extras
from gars.datasets.fetch import fetch
from gars.datasets.fetched import fetch_all
from gars.datasets.readers import mal2016
from gars.datasets.shipped import SHIPPED, shipped_sample
from gars.datasets.sources import Source
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError

SAMPLE = "mal-2016-sample"
RECIPE = 3
"""Raised when the same sources would be read into other rows: a data set of an older recipe is built again."""


def build_default(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """Build the data set of the demo."""
    return build_sample(home, mirror=mirror, progress=progress)


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
        complete = enriched(base, read_extras(extras.paths))
        advance(1)
        dataset = write_dataset(
            target,
            name=SAMPLE,
            dialect="caserec",
            simulated=False,
            sources=[*map(as_used, used)],
            parts=[interactions],
            catalogue=complete,
            report={"recipe": RECIPE, "skipped_sources": extras.skipped},
        )
        advance(1)
    return dataset


def _kept(target: Path) -> Dataset | None:
    """The data set in ``target`` if it is whole and of this recipe."""
    try:
        dataset = Dataset.open(target)
    except DataError:
        return None
    return dataset if dataset.manifest.report.get("recipe") == RECIPE else None


def _made_of(dataset: Dataset, wanted: Iterable[Source]) -> bool:
    return {as_used(source) for source in wanted} <= set(dataset.manifest.sources)
