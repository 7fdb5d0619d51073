"""Facts about the served model and the data it was trained on."""

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
    """The years that the catalogue and the ratings cover."""

    titles: int
    titles_to: str | None
    """The last season that the catalogue covers, such as ``2026-fall``."""
    ratings: int
    users: int
    ratings_from: int | None
    ratings_to: int | None
    """The central years, which hold nine in ten ratings."""
    years_of: Literal["times", "titles"]
    """Source of those years: times of the ratings, or first years of the rated titles."""
    rated_until: date | None
    """Titles that began later have next to no ratings."""
    sources: tuple[SourceLicence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Facts from the manifests of the artefact and the data set; unknown ones are ``None`` or 0."""

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
