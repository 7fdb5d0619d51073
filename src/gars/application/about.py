"""What is being served: which model, trained on which data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec


class SourceLicence(msgspec.Struct, frozen=True):
    """A source of the data and its licence, as its publisher states it."""

    name: str
    licence: str


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The years that the catalogue and the ratings are of."""

    titles: int
    titles_to: str | None
    """The last season that the catalogue covers, such as ``2026-fall``."""
    ratings: int
    users: int
    ratings_from: int | None
    ratings_to: int | None
    """The years that nine in ten ratings lie in."""
    years_of: Literal["times", "titles"]
    """Whether those are the years of the ratings, or those in which the rated titles began."""
    rated_until: date | None
    """Titles that began later have next to no ratings."""
    sources: tuple[SourceLicence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Facts of the artefact's and the data set's manifests; what is not known is ``None`` or 0."""

    model_version: str
    trained: str | None = None
    """ISO 8601."""
    metrics: Mapping[str, float] | None = None
    data_name: str = "unknown"
    data_hash: str | None = None
    simulated: bool = False
    anime: int = 0
    users: int = 0
    interactions: int = 0
    coverage: Coverage | None = None
