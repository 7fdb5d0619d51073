"""The anime that events may be about."""

from __future__ import annotations

from gars.application.catalogue.catalogue import Catalogue


class KnownAnime:
    """The catalogue of the model that serves now: what the writer, which outlives models, takes events on."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def __contains__(self, anime_id: object) -> bool:
        return anime_id in self.catalogue

    def __len__(self) -> int:
        return len(self.catalogue)
