"""Compares the model data published in Redis, which other processes read, with the model that serves here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gars.application.recommend.engine import Engine
from gars.bootstrap.addresses import REDIS, adapter, scheme
from gars.bootstrap.publishing import vectors_of
from gars.config import Settings
from gars.domain.errors import ArtefactError, StorageError

if TYPE_CHECKING:  # its client library is optional
    from gars.adapters.redis.model_data import RedisModelData

_COMPARED = 500
_HINT = "gars model publish"


class Published:
    """Checks the published model data; ``problem`` is the result of the last check."""

    def __init__(self, data: RedisModelData) -> None:
        self._data = data
        self._same: str | None = None
        self.problem: str | None = None

    def look(self, engine: Engine) -> None:
        """Compare the version, and for a new one a sample of the vectors; reports no problem while Redis is away."""
        try:
            self.problem = self._difference(engine)
        except StorageError:  # the state store reports that Redis is away
            self.problem = None

    def close(self) -> None:
        """Close the connections."""
        self._data.close()

    def _difference(self, engine: Engine) -> str | None:
        current = self._data.current()
        if current is None:
            return f"no model is published in Redis, and this process serves {engine.version}: {_HINT}"
        if current != engine.version:
            return f"Redis has the vectors of model {current}, and this process serves {engine.version}: {_HINT}"
        if current != self._same and not self._equal(engine):
            return f"the vectors of model {current} in Redis are not those of the model: {_HINT} --again"
        self._same = current
        return None

    def _equal(self, engine: Engine) -> bool:
        try:
            own = vectors_of(engine)
        except ArtefactError:  # a test double: it has a version only
            return True
        some = list(own)[:: max(1, len(own) // _COMPARED)]
        held = self._data.vectors(engine.version, some)
        return all(one in held and np.array_equal(held[one], own[one]) for one in some)


def open_published(settings: Settings) -> Published | None:
    """Open the check if the states are in Redis, else return ``None``; it connects at the first check."""
    if scheme(settings.state_store) not in REDIS:
        return None
    return Published(adapter("redis", "model_data").RedisModelData(settings.state_store))
