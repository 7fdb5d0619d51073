"""A data set with fresher pages and fresher lists: same form, another content hash, the old one untouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from gars.datasets.airing import add_airing
from gars.datasets.dataset import Dataset, SourceUsed
from gars.datasets.durable import sha256_of
from gars.datasets.merge import merge_catalogues
from gars.datasets.merged_files import Crawls
from gars.datasets.schema import conform_catalogue
from gars.datasets.sources import NO_LICENCE
from gars.datasets.writing import write_dataset
from gars.domain.errors import InvalidInputError


def refreshed(
    dataset: Dataset,
    target: Path,
    *,
    crawls: Sequence[Path] = (),
    lists: Dataset | None = None,
    season: Path | None = None,
) -> Dataset:
    """Write ``dataset`` to ``target`` with the metadata of ``crawls`` and the users of ``lists``.

    New anime of the crawls join the catalogue, and then those of ``season`` (Parquet in the form of a catalogue).
    A user of both has the rows of ``lists``: lists are crawled completely, so entries missing there were removed. Holds
    one part and ``lists`` in memory.

    Raises:
        DataError: a crawl or a part cannot be read; nothing was written.
        InvalidInputError: there is nothing to refresh it with, or ``target`` is the data set itself.
    """
    if not crawls and lists is None and season is None:
        raise InvalidInputError(
            "there is nothing to refresh with", hint="give crawls, a data set of lists, or --season"
        )
    if target.resolve() == dataset.path.resolve():
        raise InvalidInputError(f"{target}: is the data set itself", hint="give the new one another name: --name")
    catalogue = dataset.catalogue()
    if lists is not None:
        new = lists.catalogue().join(catalogue, on="anime_id", how="anti")
        catalogue = conform_catalogue(pl.concat([catalogue, new]))
    merge: dict[str, int] = {}
    if crawls:
        fresh, origins = Crawls.read(crawls).catalogue()
        merged = merge_catalogues(catalogue, fresh, origins, keep_new=True)
        catalogue = merged.catalogue
        merge = {"new_anime": merged.only_fresh, "conflicts": merged.conflicts.height}
    if season is not None:
        added = add_airing(catalogue, pl.read_parquet(season))
        catalogue = added.catalogue
        merge["new_anime"] = merge.get("new_anime", 0) + added.new
        merge["other_status_of_airing"] = added.changed
    manifest = dataset.manifest
    used = [SourceUsed(path.name, sha256_of(path), "yours") for path in crawls]
    used += lists.manifest.sources if lists is not None else []
    used += [SourceUsed("anilist-api", sha256_of(season), NO_LICENCE)] if season is not None else []
    return write_dataset(
        target,
        name=target.name,
        dialect=manifest.dialect,
        simulated=manifest.simulated or (lists is not None and lists.simulated),
        sources=[*manifest.sources, *used],
        parts=_parts(dataset, lists),
        catalogue=catalogue,
        duplicates=lambda: manifest.duplicates + (lists.manifest.duplicates if lists is not None else 0),
        report={"refreshed_from": dataset.content_hash, **merge},
        of_users=_of_users(dataset, lists),
    )


def _of_users(dataset: Dataset, lists: Dataset | None) -> pl.DataFrame:
    """Return the users of both; a user whose rows come from ``lists`` is described there or not at all."""
    if lists is None:
        return dataset.users()
    replaced = lists.interactions().select("user_id").unique().collect()
    return pl.concat([dataset.users().join(replaced, on="user_id", how="anti"), lists.users()]).sort("user_id")


def _parts(dataset: Dataset, lists: Dataset | None) -> Iterator[pl.DataFrame]:
    """Yield the rows of both, sorted by user; a user of both comes from ``lists``."""
    fresh = lists.interactions().collect() if lists is not None else None
    for path in dataset.parts():
        part = pl.read_parquet(path)
        if fresh is None:
            yield part
            continue
        last = part["user_id"][-1]
        due, fresh = fresh.filter(pl.col("user_id") <= last), fresh.filter(pl.col("user_id") > last)
        yield pl.concat([part.join(due, on="user_id", how="anti"), due]).sort("user_id", "anime_id")
    if fresh is not None:
        yield fresh
