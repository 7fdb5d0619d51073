"""The JSON of tokens and administration, as types."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ModelEntry(msgspec.Struct, frozen=True):
    """A trained model."""

    version: str
    trained: str


class ModelsBody(msgspec.Struct, frozen=True):
    """Every trained model, and the version that serves."""

    serving: str
    models: list[ModelEntry]


class TrainingBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a model came to be. ``curves`` has a value after each epoch; those called ``val_`` are of users held out."""

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
    """The newest training; null while nothing was trained here."""

    latest: TrainingBody | None


class ServingBody(msgspec.Struct, frozen=True, kw_only=True):
    """The version that serves now, and the one that did."""

    serving: str
    before: str


class TokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """A token for one user. ``expires`` is null for one that never does."""

    user_id: str
    token: str
    expires: datetime | None


class RevokeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token to make void."""

    token: str


class SessionBody(msgspec.Struct, frozen=True):
    """Whose token the browser keeps."""

    user_id: str | None
