"""JSON types of tokens and administration."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ModelEntry(msgspec.Struct, frozen=True):
    """A trained model."""

    version: str
    trained: str


class ModelsBody(msgspec.Struct, frozen=True):
    """All trained models, and the version that serves."""

    serving: str
    models: list[ModelEntry]


class TrainingBody(msgspec.Struct, frozen=True, kw_only=True):
    """Provenance of a trained model. ``curves`` has a value per epoch; those named ``val_…`` are of held-out users."""

    version: str
    trained: str
    seed: int
    data: str
    users: int
    anime: int
    interactions: int
    features: int
    metrics: dict[str, float]
    curves: dict[str, list[float]]
    libraries: dict[str, str]


class LatestTrainingBody(msgspec.Struct, frozen=True):
    """The newest training; null if nothing was trained here."""

    latest: TrainingBody | None


class ServingBody(msgspec.Struct, frozen=True, kw_only=True):
    """The version that serves now, and the version that served before."""

    serving: str
    before: str


class TokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """A token for one user. ``expires`` is null for a token that does not expire."""

    user_id: str
    token: str
    expires: datetime | None


class RevokeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token to revoke."""

    token: str


class SessionBody(msgspec.Struct, frozen=True):
    """The user of the session; null if the service has no tokens or the session has ended."""

    user_id: str | None
