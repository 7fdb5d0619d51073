"""The sources that complete a catalogue of the user's own, or of 2016."""

from __future__ import annotations

from gars.datasets import sources
from gars.datasets.sources import Source

ENRICHING: tuple[Source, ...] = (
    sources.BANGUMI,
    sources.TITLES_2020,
    sources.ANIME_IDS,
    sources.ANIME_RELATIONS,
    sources.ANILIST_TAGS,
)
"""Each is small and its publisher states a licence."""
