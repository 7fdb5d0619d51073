"""Fetch and read the sources that only enrich a catalogue; one that cannot be had is left out and said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gars.application.progress import Progress
from gars.datasets import sources
from gars.datasets.enrich import anilist_tags, bangumi, ids, relations, titles2020
from gars.datasets.enrich.catalogue import Extras
from gars.datasets.fetch import fetch
from gars.datasets.sources import Source
from gars.domain.errors import FetchError

_READERS: dict[Source, tuple[str, Callable[[Path], pl.DataFrame]]] = {
    sources.BANGUMI: ("bangumi", bangumi.read_bangumi),
    sources.TITLES_2020: ("titles", titles2020.read_titles),
    sources.ANIME_IDS: ("ids", ids.read_ids),
    sources.ANIME_RELATIONS: ("relations", relations.read_relations),
    sources.ANILIST_TAGS: ("tags", anilist_tags.read_tags),
}
"""Which field of ``Extras`` a source fills and how it is read."""

ENRICHING: tuple[Source, ...] = tuple(_READERS)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What could be had, and why the rest could not."""

    paths: dict[Source, Path]
    skipped: dict[str, str]
    """Name of a source → why it is missing."""

    def read(self) -> Extras:
        """Read everything that was fetched. Raises ``DataError``."""
        return Extras(**{_READERS[source][0]: _READERS[source][1](path) for source, path in self.paths.items()})


def fetch_extras(wanted: Iterable[Source], home: Path, *, mirror: Path | None, progress: Progress) -> Fetched:
    """Fetch the ``wanted`` of ``ENRICHING``; each that cannot be had gets one line of progress."""
    fetched = Fetched({}, {})
    for source in wanted:
        try:
            fetched.paths[source] = fetch(source, home, mirror=mirror, progress=progress)
        except FetchError as error:
            fetched.skipped[source.name] = error.message
            progress.note(f"going on without {source.name} ({source.content}): {error.message}")
    return fetched
