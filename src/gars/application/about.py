"""What is being served: which model, trained on which data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
