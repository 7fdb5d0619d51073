"""Read the sources that enrich a catalogue of 2016."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from gars.datasets import sources
from gars.datasets.enrich import anilist_tags, bangumi, ids, relations, titles2020
from gars.datasets.enrich.catalogue import Extras
from gars.datasets.sources import Source

_READERS: dict[Source, tuple[str, Callable[[Path], pl.DataFrame]]] = {
    sources.BANGUMI: ("bangumi", bangumi.read_bangumi),
    sources.TITLES_2020: ("titles", titles2020.read_titles),
    sources.ANIME_IDS: ("ids", ids.read_ids),
    sources.ANIME_RELATIONS: ("relations", relations.read_relations),
    sources.ANILIST_TAGS: ("tags", anilist_tags.read_tags),
}
"""Which field of ``Extras`` a source fills and how it is read."""

ENRICHING: tuple[Source, ...] = tuple(_READERS)


def read_extras(paths: Mapping[Source, Path]) -> Extras:
    """Read those of ``paths`` that are ``ENRICHING``. Raises ``DataError``."""
    return Extras(**{field: read(paths[source]) for source, (field, read) in _READERS.items() if source in paths})
